package stitch

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"icap/internal/flow"
)

// A segment is a packet to be made.
type segment struct {
	src, dst string
	flags    string // SYN ACK FIN RST, by their first letters; "U" for UDP
	seq, ack uint32
	data     string
	partial  bool // leave the checksum to hardware
}

// frame makes the packet, with checksums by gopacket.
func (s segment) frame(t testing.TB) []byte {
	t.Helper()
	src, dst := netip.MustParseAddrPort(s.src), netip.MustParseAddrPort(s.dst)
	eth := &layers.Ethernet{SrcMAC: make(net.HardwareAddr, 6), DstMAC: make(net.HardwareAddr, 6), EthernetType: layers.EthernetTypeIPv4}
	proto := layers.IPProtocolTCP
	if s.flags == "U" {
		proto = layers.IPProtocolUDP
	}
	var network gopacket.SerializableLayer
	var pseudo gopacket.NetworkLayer
	if src.Addr().Is4() {
		ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: proto, SrcIP: src.Addr().AsSlice(), DstIP: dst.Addr().AsSlice()}
		network, pseudo = ip, ip
	} else {
		eth.EthernetType = layers.EthernetTypeIPv6
		ip := &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: proto, SrcIP: src.Addr().AsSlice(), DstIP: dst.Addr().AsSlice()}
		network, pseudo = ip, ip
	}
	var transport gopacket.SerializableLayer
	if s.flags == "U" {
		udp := &layers.UDP{SrcPort: layers.UDPPort(src.Port()), DstPort: layers.UDPPort(dst.Port())}
		_ = udp.SetNetworkLayerForChecksum(pseudo)
		transport = udp
	} else {
		tcp := &layers.TCP{SrcPort: layers.TCPPort(src.Port()), DstPort: layers.TCPPort(dst.Port()), Seq: s.seq, Ack: s.ack, Window: 500}
		for _, f := range s.flags {
			switch f {
			case 'S':
				tcp.SYN = true
			case 'A':
				tcp.ACK = true
			case 'F':
				tcp.FIN = true
			case 'R':
				tcp.RST = true
			}
		}
		_ = tcp.SetNetworkLayerForChecksum(pseudo)
		transport = tcp
	}
	buf := gopacket.NewSerializeBuffer()
	err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
		eth, network, transport, gopacket.Payload(s.data))
	if err != nil {
		t.Fatal(err)
	}
	if s.partial {
		v := view(t, buf.Bytes())
		n, _ := v.segmentLen()
		binary.BigEndian.PutUint16(v.checksum(), fold(pseudoHeader(src.Addr(), dst.Addr(), uint8(proto), n)))
	}
	return buf.Bytes()
}

func view(t testing.TB, frame []byte) *View {
	t.Helper()
	v := &View{flow.Packet{Data: frame}}
	if !v.DecodeLink(flow.LinkEthernet, frame) {
		t.Fatal("no IP packet")
	}
	return v
}
