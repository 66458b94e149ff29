package bpfc

import (
	"fmt"
	"strings"
)

// A LinkType is a LINKTYPE_ number of the pcap and pcapng registry: it says
// with which header a packet begins. The numbers are those of files, not the
// DLT_ numbers of one operating system.
type LinkType uint16

// The link types that filters can be compiled for.
const (
	Ethernet  LinkType = 1   // LINKTYPE_ETHERNET, which libpcap calls EN10MB
	Raw       LinkType = 101 // packets that begin with an IP header
	LinuxSLL  LinkType = 113 // Linux's cooked packets
	LinuxSLL2 LinkType = 276 // the same with the index of the interface
)

// linkTypes pairs the names that tcpdump -y uses with their numbers.
var linkTypes = [...]struct {
	name string
	link LinkType
}{
	{"NULL", 0},
	{"EN10MB", Ethernet},
	{"RAW", Raw},
	{"LINUX_SLL", LinuxSLL},
	{"LINUX_SLL2", LinuxSLL2},
}

// LinkTypeByName returns the link type with libpcap's name for it, such as
// "EN10MB". As with tcpdump -y, the case of the letters and a leading "DLT_"
// do not matter. The error for an unknown name, a *Error of KindLinkType,
// lists the known ones. That a name is known does not mean that Compile can
// compile for it.
func LinkTypeByName(name string) (LinkType, error) {
	bare := name
	if len(bare) > 4 && strings.EqualFold(bare[:4], "DLT_") {
		bare = bare[4:]
	}
	known := make([]string, 0, len(linkTypes))
	for _, t := range linkTypes {
		if strings.EqualFold(bare, t.name) {
			return t.link, nil
		}
		known = append(known, t.name)
	}
	return 0, &Error{
		Kind: KindLinkType, Expr: name, Pos: 0, End: len(name),
		Msg:  fmt.Sprintf("unknown link type %q", name),
		Hint: "known are " + strings.Join(known, ", "),
	}
}

// String returns libpcap's name of the link type, or "LINKTYPE_n".
func (t LinkType) String() string {
	for _, known := range linkTypes {
		if t == known.link {
			return known.name
		}
	}
	return fmt.Sprintf("LINKTYPE_%d", uint16(t))
}
