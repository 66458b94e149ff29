// Package gather merges the live streams of captures on many machines into one
// pcapng file, in time order, with bounded delay and memory. It also measures
// how far the clocks of the machines are apart.
//
// A stream is what icap -w - writes on one node. It can be added while others
// run, end, or break; the rest goes on:
//
//	g := gather.New(out, gather.Config{Names: names})
//	for _, node := range nodes {
//		stream, err := g.Add(gather.Source{Node: node.Name, Stream: node.Stream})
//		...
//	}
//	g.Close() // no more will be added
//	result, err := g.Run(ctx)
//
// # The file
//
// There is one section, and in it each interface of each stream, whose
// description begins with the node and its clock; see [Origin]. Packets stay as
// they are, with comments, flags, hashes and counts of drops; only interface
// and, if it is to be corrected, time are written over. Statistics come along,
// behind the packets that they count and ahead of later ones, so that icap
// check proves the whole file. Names and TLS secrets are written as soon as they
// are read, ahead of all packets that wait. Blocks of other types are left out
// and counted, since they may speak of interfaces by numbers that are no more
// true.
//
// # Order
//
// The oldest packet at hand is written when every stream has one at hand, or
// has ended. A stream that has none holds the others back, each packet for no
// longer than Delay: what it delivers later may be out of order, and is then
// written at once and counted as late. Time that is spent on writing does not
// count as waiting, so nothing gets out of order only because the output is
// slow.
//
// Clocks that differ by more than Delay cannot be merged by time without
// [Config.Align].
//
// # Memory
//
// What waits is held in buffers of a bounded sum. When they are full, streams
// that have packets at hand are read no further. Then what carries them fills
// up, and in the end the rings of the node, whose kernel counts what finds no
// room; nothing is lost that is not counted. As long as that lasts, silent
// streams are waited for only a tenth of the time, because losing the order is
// better than losing packets.
package gather
