package measure

import (
	"slices"
	"testing"
	"time"

	"icap/bench/internal/load"
	"icap/bench/internal/peer"
)

func TestSuitesNamePeersThatExist(t *testing.T) {
	var names []string
	for _, p := range peer.List("icap") {
		names = append(names, p.Name)
	}
	for _, s := range []Suite{Full(), Quick(), Smoke()} {
		used := slices.Clone(s.Peers)
		for _, j := range s.Jobs {
			used = append(used, j.Peers...)
		}
		for _, name := range used {
			if !slices.Contains(names, name) {
				t.Errorf("no peer is called %q", name)
			}
		}
	}
}

func TestRoom(t *testing.T) {
	s := Suite{Jobs: []Job{
		{Load: load.Load{Sizes: load.Uniform(64), Count: 1000}},
		{Load: load.Load{Sizes: load.Uniform(1500), Count: 10}},
		{Load: load.Load{Sizes: load.Uniform(1500), Count: 100}, Disk: true},
	}}
	memory, disk := s.Room()
	if memory != 160_000 || disk != 159_600 {
		t.Errorf("got %d and %d", memory, disk)
	}
}

func TestTrial(t *testing.T) {
	for _, tt := range []struct {
		rate, want int
		long       time.Duration
	}{
		{500_000, 750_000, 1500 * time.Millisecond},
		{0, 600_000, 500 * time.Millisecond},
		{1000, 1000, time.Millisecond},
	} {
		if got := trial(load.Uniform(64), tt.rate, tt.long).Count; got != tt.want {
			t.Errorf("%d/s for %s are %d frames, want %d", tt.rate, tt.long, got, tt.want)
		}
	}
}

func TestOnly(t *testing.T) {
	s := Full()
	if err := s.Only([]string{"start", "idle"}); err != nil {
		t.Fatal(err)
	}
	if s.Jobs != nil || s.SearchFor != nil || s.Collect.Count != 0 || s.Starts == 0 || s.Idle == 0 {
		t.Errorf("left is %+v", s)
	}
	if err := s.Only([]string{"end"}); err == nil {
		t.Error("no error for a part that does not exist")
	}
}

func TestOnlySizes(t *testing.T) {
	s := Full()
	if err := s.OnlySizes([]string{"64", "imix"}); err != nil {
		t.Fatal(err)
	}
	for _, j := range s.Jobs {
		if mix := j.Mix(); mix != "64 B" && mix != "IMIX" {
			t.Errorf("%s is left", j)
		}
	}
	if err := s.OnlySizes([]string{"65"}); err == nil {
		t.Error("no error for a size that does not exist")
	}
}

func TestWithoutDisk(t *testing.T) {
	s := Full()
	before := len(s.Jobs)
	left := s.WithoutDisk()
	if len(left) == 0 || len(s.Jobs)+len(left) != before {
		t.Errorf("%d of %d jobs are left out, %d stay", len(left), before, len(s.Jobs))
	}
	if slices.ContainsFunc(s.Jobs, func(j Job) bool { return j.Disk }) {
		t.Error("a job on a disk stays")
	}
}

func TestJobOf(t *testing.T) {
	peers := []peer.Peer{{Name: "a"}, {Name: "b"}, {Name: "c"}}
	if got := (Job{}).Of(peers); len(got) != 3 {
		t.Errorf("got %v", got)
	}
	got := Job{Peers: []string{"c", "a"}}.Of(peers)
	if len(got) != 2 || got[0].Name != "a" || got[1].Name != "c" || peers[1].Name != "b" {
		t.Errorf("got %v", got)
	}
	got = Job{Without: []string{"a"}}.Of(peers)
	if len(got) != 2 || got[0].Name != "b" {
		t.Errorf("without a got %v", got)
	}
}
