package load

import (
	"testing"
	"time"
)

func TestDue(t *testing.T) {
	tests := []struct {
		rate int
		n    uint64
		want time.Duration
	}{
		{0, 1000, 0},
		{1, 3, 3 * time.Second},
		{1000, 1, time.Millisecond},
		{500_000, 500_000, time.Second},
		{250_000, 0, 0},
		// 3333.33 ns do not add up to an error that matters.
		{300_000, 3_000_000, 10 * time.Second},
		{1_700_000, 17_000_000, 10 * time.Second},
	}
	for _, tt := range tests {
		got := due(tt.n, gap(tt.rate))
		if off := (tt.want - got).Abs(); off > 20*time.Microsecond {
			t.Errorf("frame %d at %d/s is due after %s, want %s", tt.n, tt.rate, got, tt.want)
		}
	}
}

func TestBurst(t *testing.T) {
	for rate, want := range map[int]int{0: 32, 1: 1, 10_000: 1, 50_000: 5, 400_000: 32, 5_000_000: 32} {
		if got := burst(rate); got != want {
			t.Errorf("burst of %d/s is %d, want %d", rate, got, want)
		}
	}
}

func TestLoad(t *testing.T) {
	tests := []struct {
		load     Load
		name     string
		bytes    int64
		duration time.Duration
	}{
		{Load{Uniform(64), 500_000, 1_000_000}, "64 B, 500 kpps", 64_000_000, 2 * time.Second},
		{Load{Uniform(256), 0, 200_000}, "256 B, as fast as possible", 51_200_000, 2 * time.Second},
		{Load{IMIX(), 300_000, 12}, "IMIX, 300 kpps", 7*64 + 4*576 + 1500, 40 * time.Microsecond},
		{Load{Uniform(64), 1000, 0}, "no packets", 0, 0},
	}
	for _, tt := range tests {
		if got := tt.load.String(); got != tt.name {
			t.Errorf("name is %q, want %q", got, tt.name)
		}
		if got := tt.load.Bytes(); got != tt.bytes {
			t.Errorf("%s: %d bytes, want %d", tt.name, got, tt.bytes)
		}
		if got := tt.load.Duration(); got != tt.duration {
			t.Errorf("%s: takes %s, want %s", tt.name, got, tt.duration)
		}
	}
}
