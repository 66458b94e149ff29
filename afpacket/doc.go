// Package afpacket is a TPACKET_V3 ring on a packet socket, read without
// copying.
//
// The kernel puts packets into blocks of memory that it shares with the
// process, see packet(7) and the kernel's Documentation/networking/
// packet_mmap. A block that is full, or older than the retire timeout, is
// retired: it belongs to the reader until the reader gives it back. [Ring.Next]
// waits for the next retired block and lends it out; [Block.Release] ends the
// lease. Nothing is copied and nothing is allocated on the way:
//
//	ring, err := afpacket.Open(afpacket.Config{Interface: "eth0"})
//	if err != nil {
//		return err
//	}
//	defer ring.Close()
//	if err := ring.Start(); err != nil {
//		return err
//	}
//	for {
//		block, err := ring.Next()
//		if err == io.EOF {
//			return nil // Stop was called, and everything is delivered
//		}
//		if err != nil {
//			return err
//		}
//		var p afpacket.Packet
//		for at := block.First(); at != 0; at = block.Next(at) {
//			block.Read(at, &p)
//			fmt.Println(p.Time, len(p.Data))
//		}
//		block.Release()
//	}
//
// # No packet too early, none lost at the end
//
// [Open] makes the socket with protocol 0, attaches the filter, makes and
// maps the ring; only [Ring.Start] binds it to the protocol that receives. So
// no packet gets in unfiltered or from another interface. [Ring.Stop] binds it
// to no protocol again (in a group, a filter rejects everything), and lets Next
// deliver what the ring still holds, the block that the kernel is filling included: packets that
// the kernel counted as received are delivered or counted as dropped, also
// when the interface has been deleted.
//
// # Blocks as files
//
// With [Config.Direct] the packets of a block lie so that a reader can turn the
// block into a file format where it lies, and write it from there:
// [Block.Memory] is all of it, from [DirectStart] on for the reader to change.
//
// # Waiting
//
// Next waits in the runtime poller: no thread is locked, no timeout ticks, and
// an idle ring costs nothing.
package afpacket
