// Package load sends numbered frames into an interface at a fixed rate, or as
// fast as it can.
//
// There are two ways. [Live] has the kernel run an XDP program on frames that
// it makes itself and then receives on the interface, as if a driver had
// taken them from a network card: BPF_PROG_TEST_RUN with
// BPF_F_TEST_XDP_LIVE_FRAMES, since Linux 5.18. [Veth] transmits on the other
// end of the veth pair, which takes four to five times the CPU time, and so
// reaches a fraction of the rate, but works on every kernel.
//
// What the kernel does on the receiving side, up to the rings of those who
// capture, it does on the CPU of the sender.
package load
