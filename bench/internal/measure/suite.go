package measure

import (
	"time"

	"icap/bench/internal/load"
	"icap/bench/internal/peer"
)

// A Suite is what to measure, with how many rounds.
type Suite struct {
	Rounds int
	// Peers are the names of those that take part. None means all.
	Peers []string
	// DiskOnly are the names of those that cannot write to tmpfs here.
	DiskOnly []string
	// Strict is for loads so small that nothing may be lost anywhere.
	Strict bool

	Jobs []Job

	// SearchFor are the sizes of frames to find the highest rate for.
	SearchFor   [][]int
	SearchSteps int
	SearchTrial time.Duration // how long each trial sends

	Starts int           // how often the start is measured
	Idle   time.Duration // how long one watches a program that waits
	Many   int           // interfaces to watch it on, besides on one

	// Collect is the job for counting collections of garbage. It has no
	// frames if that is not done.
	Collect Job
}

// job is a load of a rate for so long.
func job(sizes []int, rate int, long time.Duration, peers ...string) Job {
	return Job{Load: trial(sizes, rate, long), Peers: peers}
}

// onDisk is a job whose files go to a disk.
func onDisk(j Job) Job {
	j.Disk = true
	return j
}

// idleJob shows what is part of the cost in any case.
func idleJob() Job { return Job{Load: load.Load{Sizes: load.Uniform(64), Rate: 1000}} }

// fixed are the fixed rates that everything is judged by, for so long each.
func fixed(long time.Duration) []Job {
	return []Job{
		job(load.Uniform(64), 500_000, long),
		job(load.Uniform(256), 400_000, long),
		job(load.Uniform(1500), 250_000, long),
		job(load.IMIX(), 300_000, long),
	}
}

// Full takes some twenty minutes, and its figures may be shown to others.
func Full() Suite {
	const long = 1500 * time.Millisecond
	jobs := append([]Job{idleJob()}, fixed(long)...)
	jobs = append(jobs,
		onDisk(job(load.Uniform(64), 500_000, long)),
		onDisk(job(load.Uniform(1500), 250_000, long)),
		job(load.Uniform(1500), 600_000, long, peer.Tcpdump, peer.Dumpcap, peer.Icap, peer.Direct, peer.Copy),
		job(load.Uniform(1500), 800_000, long, peer.Tcpdump, peer.Icap, peer.Direct, peer.Copy),
		job(load.Uniform(256), 0, 1200*time.Millisecond),
	)
	return Suite{
		Rounds:      3,
		Jobs:        jobs,
		SearchFor:   [][]int{load.Uniform(256), load.Uniform(1500)},
		SearchSteps: 6,
		SearchTrial: 700 * time.Millisecond,
		Starts:      9,
		Idle:        3 * time.Second,
		Many:        100,
		Collect:     job(load.Uniform(256), 400_000, 10*time.Second),
	}
}

// Quick takes less than a minute, for work on the code.
func Quick() Suite {
	const long = 250 * time.Millisecond
	return Suite{
		Rounds: 2,
		Peers:  []string{peer.Tcpdump, peer.Icap, peer.Direct, peer.Copy},
		Jobs: append(fixed(long),
			onDisk(job(load.Uniform(1500), 250_000, long)),
		),
		Starts:  1,
		Idle:    300 * time.Millisecond,
		Many:    10,
		Collect: job(load.Uniform(256), 400_000, 500*time.Millisecond),
	}
}

// Smoke proves that everything works and measures nothing: what a program
// takes for its end weighs more here than the packets.
func Smoke() Suite {
	const rate, long = 100_000, 50 * time.Millisecond
	return Suite{
		Rounds: 1,
		Peers:  []string{peer.Tcpdump, peer.Icap, peer.Direct, peer.Copy, peer.Ring},
		Strict: true,
		Jobs: []Job{
			job(load.Uniform(64), rate, long),
			job(load.IMIX(), rate, long),
		},
		SearchFor:   [][]int{load.Uniform(256)},
		SearchSteps: 1,
		SearchTrial: 10 * time.Millisecond,
		Starts:      1,
		Idle:        50 * time.Millisecond,
		Many:        5,
		Collect:     job(load.Uniform(256), rate, long),
	}
}

// Room is how many bytes the largest file takes on tmpfs and on the disk.
func (s *Suite) Room() (memory, disk int64) {
	memory = s.Collect.room()
	for _, sizes := range s.SearchFor {
		memory = max(memory, Job{Load: trial(sizes, 0, s.SearchTrial)}.room())
	}
	for _, j := range s.Jobs {
		if j.Disk {
			disk = max(disk, j.room())
		} else {
			memory = max(memory, j.room())
		}
	}
	return memory, disk
}
