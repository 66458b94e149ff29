// Package capture moves packets from many rings to one writer, in time order,
// until it is told to stop.
//
// One goroutine a ring waits for it, without a thread and without a timeout.
// One goroutine takes the blocks that the kernel has retired, merges them by
// timestamp, and hands each packet to a hook and a sink. Packets are not queued
// one by one: they stay in their blocks, which the rings lend out, until the
// sink has copied them, and then the block goes back to the kernel. When the
// sink is slow the rings fill, and the kernel counts what it drops. A single
// ring, with nothing to merge it with, is waited for and written by one
// goroutine.
//
// [Files] is the sink for pcapng, in one file or, by a [Rotation], in many.
//
// # Order
//
// A block is a run of packets in time order, so a packet may be written when
// it is the oldest of all runs at hand and no ring without a run can deliver
// an older one any more. Such a ring is either idle, which the kernel's count
// in its open block tells, or its open block retires within the retire
// timeout. Blocks that wait, and fill more than half of their ring, are moved
// out of it into memory of a bounded size. When that is full, nothing waits any
// more, because losing the order is better than losing packets; what came late
// is counted.
//
// # Joining
//
// Rings can join a capture that runs, and leave it when they are stopped or
// their interface is gone: see [Addition]. The merging goroutine takes them in
// between two packets.
//
// # Holding back
//
// A sink may hold packets back, as [Delay] does until what they need can be put
// ahead of them. It copies them, is flushed when it says so ([Holder]), and keeps
// [Books] for the sink behind it, whose files must not count what they do not
// have yet.
//
// # Accounting
//
// For every source: received by the filter = written + left out by the hook +
// dropped by the kernel + lost because the capture was ended by a fault or a
// limit. [Result] has all of them.
package capture
