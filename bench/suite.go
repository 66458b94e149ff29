package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
)

// A suite is what to measure: each load with each peer, in turn, for some
// rounds. A load of no packets shows what a program takes in any case.
type suite struct {
	rounds int
	loads  []load
	// strict is for loads so small that nothing may be lost anywhere.
	strict bool
}

// fullSuite takes some minutes, and its figures may be shown to others.
func fullSuite() suite {
	return suite{rounds: 5, loads: []load{
		{Size: 64, Rate: 1000, Count: 0},
		{Size: 64, Rate: 400_000, Count: 1_600_000},
		{Size: 256, Rate: 300_000, Count: 1_200_000},
		{Size: 1500, Rate: 200_000, Count: 600_000},
	}}
}

// quickSuite takes less than a minute, for work on the code.
func quickSuite() suite {
	return suite{rounds: 3, loads: []load{
		{Size: 64, Rate: 1000, Count: 0},
		{Size: 64, Rate: 400_000, Count: 200_000},
		{Size: 256, Rate: 300_000, Count: 150_000},
		{Size: 1500, Rate: 200_000, Count: 100_000},
	}}
}

// smokeSuite proves that everything works and measures nothing: what a
// program takes for its end weighs more here than the packets.
func smokeSuite() suite {
	return suite{rounds: 1, strict: true, loads: []load{
		{Size: 64, Rate: 100_000, Count: 10_000},
		{Size: 256, Rate: 100_000, Count: 10_000},
		{Size: 1500, Rate: 100_000, Count: 10_000},
	}}
}

// keepSizes leaves the loads whose frames have one of some sizes.
func (s *suite) keepSizes(sizes []string) error {
	var kept []load
	for _, size := range sizes {
		before := len(kept)
		for _, l := range s.loads {
			if strconv.Itoa(l.Size) == size {
				kept = append(kept, l)
			}
		}
		if len(kept) == before {
			return fmt.Errorf("no load has frames of %q bytes", size)
		}
	}
	s.loads = kept
	return nil
}

// largest is how many bytes the largest file takes, roughly.
func (s *suite) largest() int64 {
	var most int64
	for _, l := range s.loads {
		const overhead = 64
		most = max(most, int64(l.Count)*int64(l.Size+overhead))
	}
	return most
}

// A series is what the rounds of one load gave, for each peer by its name.
type series struct {
	load    load
	results map[string][]result
}

// run measures everything. Each round has every peer once, so that what
// disturbs the machine for long disturbs all of them.
func (s *suite) run(ctx context.Context, b *bench, peers []peer, progress io.Writer) ([]series, error) {
	var all []series
	for _, l := range s.loads {
		one := series{load: l, results: map[string][]result{}}
		for round := range s.rounds {
			fmt.Fprintf(progress, "%s: round %d of %d\n", l, round+1, s.rounds)
			for i := range peers {
				r, err := b.run(ctx, &peers[i], l)
				if err != nil {
					return nil, err
				}
				name := peers[i].name
				one.results[name] = append(one.results[name], r)
			}
		}
		all = append(all, one)
	}
	return all, nil
}

// faults lists what must not be, with the peer and the round.
func (s *suite) faults(all []series) []string {
	var list []string
	for _, one := range all {
		for name, results := range one.results {
			for i, r := range results {
				err := r.Fault
				if err == nil && s.strict && r.Lost > 0 {
					err = fmt.Errorf("%d packets lost", r.Lost)
				}
				if err != nil {
					list = append(list, fmt.Sprintf("%s at %s, round %d: %v", name, one.load, i+1, err))
				}
			}
		}
	}
	return list
}
