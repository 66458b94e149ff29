package afpacket

import "testing"

func TestFit(t *testing.T) {
	const page4, page64 = 4 << 10, 64 << 10
	largest := (&Config{Snaplen: MaxSnaplen}).largest()
	for _, tt := range []struct {
		name    string
		in      Geometry
		snaplen int
		page    int
		want    Geometry
		bad     bool
	}{
		{name: "zero is the default", snaplen: MaxSnaplen, page: page4, want: DefaultGeometry},
		{name: "pod", in: PodGeometry, snaplen: largest, page: page4, want: PodGeometry},
		{name: "rounded to the page", in: Geometry{300000, 3}, snaplen: 96, page: page4, want: Geometry{303104, 3}},
		{name: "rounded to a page of 64 KiB", in: Geometry{300000, 3}, snaplen: 96, page: page64, want: Geometry{327680, 3}},
		{name: "room for the largest packet", in: Geometry{4096, 8}, snaplen: MaxSnaplen, page: page4, want: Geometry{266240, 8}},
		{name: "at least two blocks", in: Geometry{1 << 20, 1}, snaplen: 96, page: page4, want: Geometry{1 << 20, 2}},
		{name: "negative", in: Geometry{-1, 2}, snaplen: 96, page: page4, bad: true},
		{name: "absurd", in: Geometry{1 << 30, 1 << 20}, snaplen: 96, page: page4, bad: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.in.fit(tt.snaplen, tt.page)
			if (err != nil) != tt.bad || !tt.bad && got != tt.want {
				t.Errorf("got %v, %v; want %v", got, err, tt.want)
			}
			if !tt.bad && got.BlockSize < tt.snaplen+frameOverhead {
				t.Errorf("a packet of %d bytes does not fit a block of %d", tt.snaplen, got.BlockSize)
			}
		})
	}
}

// Every step down is really smaller, still holds a largest packet, and the
// steps come to an end.
func TestSmaller(t *testing.T) {
	g, ok := Geometry{16 << 20, 64}, true
	for steps := 0; ok; steps++ {
		if steps > 100 {
			t.Fatal("no end")
		}
		var next Geometry
		if next, ok = g.smaller(MaxSnaplen, 4096); !ok {
			break
		}
		if next.Size() >= g.Size() || next.BlockSize < MaxSnaplen+frameOverhead || next.BlockSize%4096 != 0 || next.Blocks < minBlocks {
			t.Fatalf("after %v comes %v", g, next)
		}
		g = next
	}
	if g.Blocks != minBlocks || g.BlockSize != 266240 {
		t.Errorf("ends at %v", g)
	}
}

func TestResize(t *testing.T) {
	for size, want := range map[int]Geometry{
		64 << 20:  {1 << 20, 64},
		2 << 20:   {1 << 20, 2},
		1 << 20:   {1 << 19, 2},
		100 << 10: {1 << 16, 2},
	} {
		if got := DefaultGeometry.Resize(size); got != want {
			t.Errorf("%d bytes: %v, want %v", size, got, want)
		}
	}
}
