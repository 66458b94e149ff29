package measure

import (
	"slices"

	"icap/bench/internal/load"
	"icap/bench/internal/peer"
)

// A Job is a load, and where the files go that programs make of it.
type Job struct {
	load.Load
	Disk bool
	// Peers are the names of those that take part. None means all.
	Peers []string
	// Without are the names of those that cannot.
	Without []string
}

// Target names what the files are on.
func (j Job) Target() string {
	if j.Disk {
		return "disk"
	}
	return "tmpfs"
}

// String tells the job from others.
func (j Job) String() string {
	if j.Count == 0 {
		return j.Load.String()
	}
	return j.Load.String() + ", " + j.Target()
}

// Of leaves the peers that take part.
func (j Job) Of(peers []peer.Peer) []peer.Peer {
	return slices.DeleteFunc(slices.Clone(peers), func(p peer.Peer) bool {
		asked := len(j.Peers) == 0 || slices.Contains(j.Peers, p.Name)
		return !asked || slices.Contains(j.Without, p.Name)
	})
}

// room is how many bytes the largest file of it takes, roughly.
func (j Job) room() int64 {
	const overhead = 96
	return j.Bytes() + int64(j.Count)*overhead
}
