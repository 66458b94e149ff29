// Package capfile reads capture files: pcapng and pcap, of either byte order,
// in micro- or nanoseconds, of several sections and interfaces.
//
// A [Reader] returns a file block by block. What is a packet can be looked at;
// every block can be written again as it was, so that a program which changes
// a few packets keeps all that it does not know. A pcap file is read as if it
// were pcapng, with the blocks that a pcapng file of the same content has.
//
//	r, err := capfile.NewReader(f)
//	if err != nil {
//		return err
//	}
//	for {
//		b, err := r.Next()
//		if err == io.EOF {
//			return nil
//		}
//		if err != nil {
//			return err
//		}
//		if b.Packet != nil {
//			fmt.Println(b.Packet.Time, len(b.Packet.Data))
//		}
//	}
//
// # Completeness
//
// An Interface Statistics Block may stand anywhere in a section. One that tells
// when the capture ended (isb_endtime) is the last word on its interface, and a
// file that has it for each interface, and no packet of that behind it, ends
// where its capture did: see [Statistics.Ended] and [Count]. One without tells
// how many packets there were so far; behind it the file may have been torn.
// Whoever merges files, or writes statistics anew, keeps isb_endtime where all
// that is summed up has it, and leaves it out elsewhere.
//
// # Formats
//
// They are those of draft-ietf-opsawg-pcapng and draft-ietf-opsawg-pcap.
package capfile
