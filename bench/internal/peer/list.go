package peer

import (
	"fmt"
	"strconv"
	"time"

	"icap/bench/internal/baseline"
	"icap/bench/internal/check"
)

const mib = 1 << 20

// RingMiB is the size of the ring of every program that lets it be chosen.
const RingMiB = baseline.RingMiB

// ManyRingKiB is the size of each ring where there are many.
const ManyRingKiB = 2048

// Names of the peers that others are compared with.
const (
	Tcpdump = "tcpdump"
	Dumpcap = "dumpcap"
	Icap    = "icap"
	Direct  = "icap-direct"
	Copy    = baseline.Copy
	Ring    = baseline.Ring
)

// List is everything that can be measured, in the order of a round. Icap is the
// path of icap's binary.
func List(icap string) []Peer {
	list := []Peer{tcpdump(), tcpdumpDefault(), dumpcap(), netsniff(), gopacket(), gopcap()}
	list = append(list, icaps(icap)...)
	return append(list, copyLoop(), ringLoop())
}

func tcpdump() Peer {
	ringKiB := strconv.Itoa(RingMiB << 10)
	return Peer{
		Name: Tcpdump,
		Note: fmt.Sprintf("tcpdump -B %s -w", ringKiB),
		Args: func(ifname, file string) []string {
			// Other than root could not write into the private folder.
			return []string{"-Z", "root", "-n", "-B", ringKiB, "-i", ifname, "-w", file}
		},
		Program: "tcpdump",
		Format:  check.Pcap,
		Count:   tcpdumpCounts,
		Retire:  time.Second,
		Ring:    RingMiB * mib,
		Version: []string{"--version"},
	}
}

func tcpdumpDefault() Peer {
	p := tcpdump()
	p.Name = "tcpdump-2M"
	p.Note = "tcpdump -w, with the ring of 2 MiB that is its default"
	p.Ring = 2 * mib
	p.Args = func(ifname, file string) []string {
		return []string{"-Z", "root", "-n", "-i", ifname, "-w", file}
	}
	return p
}

func dumpcap() Peer {
	return Peer{
		Name:    Dumpcap,
		Note:    fmt.Sprintf("dumpcap -B %d -w", RingMiB),
		Program: "dumpcap",
		Args: func(ifname, file string) []string {
			return []string{"-q", "-B", strconv.Itoa(RingMiB), "-i", ifname, "-w", file}
		},
		Format:  check.Pcapng,
		Count:   dumpcapCounts,
		Retire:  300 * time.Millisecond,
		Ring:    RingMiB * mib,
		Version: []string{"--version"},
	}
}

// netsniff leaves alone what belongs to the machine and not to the capture:
// the sizes of socket memory, and where interrupts go.
func netsniff() Peer {
	ring := fmt.Sprintf("%dMiB", RingMiB)
	return Peer{
		Name:    "netsniff-ng",
		Note:    "netsniff-ng -S " + ring + " -o, time stamps in nanoseconds",
		Program: "netsniff-ng",
		Args: func(ifname, file string) []string {
			const nanoseconds = "0xa1b23c4d"
			return []string{"-i", ifname, "-o", file, "-s", "-S", ring, "-T", nanoseconds, "-A", "-Q"}
		},
		Format:  check.Pcap,
		Count:   netsniffCounts,
		Retire:  300 * time.Millisecond,
		Ring:    RingMiB * mib,
		Version: []string{"--version"},
	}
}

func gopacket() Peer {
	return Peer{
		Name:    "gopacket",
		Note:    "a loop over gopacket's afpacket (cgo) without copies, into pcapgo's NgWriter",
		Build:   buildGopacket,
		Args:    func(ifname, file string) []string { return []string{ifname, file} },
		Format:  check.Pcapng,
		Count:   tcpdumpCounts,
		Retire:  200 * time.Millisecond,
		Ring:    RingMiB * mib,
		Module:  "github.com/google/gopacket",
		Garbage: true,
	}
}

func gopcap() Peer {
	return Peer{
		Name:    "go-pcap",
		Note:    "a loop over go-pcap (pure Go, a ring of 4 MiB that cannot be chosen), into pcapgo's NgWriter",
		Build:   buildGopcap,
		Args:    func(ifname, file string) []string { return []string{ifname, file} },
		Format:  check.Pcapng,
		Count:   blindCounts,
		Retire:  200 * time.Millisecond,
		Ring:    4 * mib,
		Module:  "github.com/packetcap/go-pcap",
		Garbage: true,
	}
}

func copyLoop() Peer {
	return loop(Copy,
		"a bare loop: from icap's ring into a 1 MiB batch, one write a batch, no options")
}

func ringLoop() Peer {
	p := loop(Ring,
		"a bare loop: icap's ring is read and nothing is done with the packets")
	p.Format = nil
	return p
}

func loop(name, note string) Peer {
	return Peer{
		Name:  name,
		Note:  note,
		Build: buildLoop,
		Args: func(ifname, file string) []string {
			return []string{name, ifname, file}
		},
		Format:  check.Pcapng,
		Count:   tcpdumpCounts,
		Retire:  100 * time.Millisecond,
		Ring:    RingMiB * mib,
		Ours:    true,
		Garbage: true,
	}
}
