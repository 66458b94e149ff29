// Package pcapwriter encodes packets as pcapng and writes them in batches to
// files and pipes.
//
// The format is that of draft-ietf-opsawg-pcapng, "PCAP Next Generation
// (pcapng) Capture File Format"; section names in the comments of this package
// are those of the draft. A file is a line of blocks, each framed by its own
// length on both sides:
//
//	Section Header        what captured: machine, system, program, command
//	Interface Description one for every place that packets come from
//	Name Resolution       names of addresses
//	Enhanced Packet       one for every packet
//	Interface Statistics  counters of one interface, as often as one likes
//
// Everything is little-endian, on every machine, and time is in nanoseconds.
// All interfaces of a file have one link type and one snapshot length, because
// libpcap (and so tcpdump -r) refuses anything else. There are no custom
// blocks: Wireshark lists them as if they were packets.
//
// # Two layers
//
// The Append functions encode one block at the end of a byte slice, as
// strconv.AppendInt does a number. They know nothing of files, and they do not
// allocate when the slice has room. Strings become valid UTF-8 without zero
// bytes and are cut at a rune where an option has no more room (64 KiB),
// so whatever the strings hold, the block is well-formed.
//
// A [Writer] puts such blocks into a batch and hands the batch to the kernel
// in one write. A write is always whole blocks. When the disk is full, a
// [Writer] cuts the file back to its last whole block, so that every reader
// takes it without a word of warning, and [Writer.Stats] tells exactly how
// many packets are in the file and how many are lost.
//
// # Disks
//
// A disk stalls now and then, and a file system takes time to find room. So a
// file on a disk can be written behind (Config.Behind), by a goroutine that has
// a bounded number of batches to write while the next one is filled, and with
// room taken ahead of what is written (Config.Reserve). Pipes and files in
// memory are always written by the call that fills the batch: to hand it over
// would only cost time, and the reader of a pipe waits for it.
//
// # Files one after the other
//
// A [Series] creates the files of a rotation, each for a Writer of its own. In
// a ring of files it opens the oldest as it is, and the Writer overwrites it in
// place and cuts off at the end what is left. Until then the file has old
// blocks behind the new ones, and a torn one between them.
//
// # Signals
//
// No signal needs care. Go programs ignore SIGXFSZ, so a write beyond
// RLIMIT_FSIZE is EFBIG and counts as a full disk. A pipe without a reader is
// EPIPE, on Linux also for standard output, where [os.File.Write] would end the
// program.
package pcapwriter
