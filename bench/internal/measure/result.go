package measure

import "time"

// A Result is what one run of one peer gave.
type Result struct {
	Sent     int
	Rate     float64       // that the sender kept, in packets a second
	CPU      time.Duration // user and system, from ready to exit
	Waited   time.Duration // for a CPU that others had, from ready to stop
	Packets  uint64        // in the file, or counted where there is none
	Lost     uint64        // sent and not in Packets
	Dropped  uint64        // that the program says the kernel dropped
	FileSize int64
	Memory   int64 // most that was resident, in bytes
	GCs      int   // collections of garbage after the start, if asked for
	Fault    error // what is wrong with the run or its file
}

// Cost is the CPU time for each packet in nanoseconds, 0 if there is none.
func (r *Result) Cost() float64 {
	if r.Packets == 0 {
		return 0
	}
	return float64(r.CPU) / float64(r.Packets)
}

// Loss is which part of what was sent is lost, from 0 to 1.
func (r *Result) Loss() float64 {
	return float64(r.Lost) / float64(max(r.Sent, 1))
}

// BytesPerPacket is the size of the file for each packet in it.
func (r *Result) BytesPerPacket() float64 {
	return float64(r.FileSize) / float64(max(r.Packets, 1))
}

// Delay is how long the program waited for its CPU, as a part of the time
// that it ran.
func (r *Result) Delay() float64 {
	return float64(r.Waited) / float64(max(r.CPU, 1))
}
