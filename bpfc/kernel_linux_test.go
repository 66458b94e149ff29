package bpfc

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// A kernelFilter judges packets with the kernel's own machine: a filter on a
// datagram socket sees what is sent to it, and the bytes that arrive are
// those that it keeps. That needs no privilege.
type kernelFilter struct{ send, receive int }

// newKernelFilter returns a pair of sockets without a filter.
func newKernelFilter(t testing.TB) kernelFilter {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("socketpair: %v", err)
	}
	t.Cleanup(func() {
		unix.Close(fds[0])
		unix.Close(fds[1])
	})
	return kernelFilter{fds[0], fds[1]}
}

// attach replaces the filter.
func (k kernelFilter) attach(insns []bpf.RawInstruction) error {
	filter := make([]unix.SockFilter, len(insns))
	for i, ins := range insns {
		filter[i] = unix.SockFilter{Code: ins.Op, Jt: ins.Jt, Jf: ins.Jf, K: ins.K}
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	return unix.SetsockoptSockFprog(k.receive, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &prog)
}

// match returns the number of bytes of pkt that the kernel keeps.
func (k kernelFilter) match(pkt []byte) (int, error) {
	if _, err := unix.Write(k.send, pkt); err != nil && !errors.Is(err, unix.EPERM) {
		return 0, fmt.Errorf("send: %w", err)
	}
	n, err := unix.Read(k.receive, make([]byte, len(pkt)+1))
	if errors.Is(err, unix.EAGAIN) {
		return 0, nil
	}
	return n, err
}

// TestAgainstKernel compares verdicts with the kernel's, which sees the packet
// as long as it was captured.
func TestAgainstKernel(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	s := sentencer{r}
	whole, noise := corpus(r)
	pkts := noise
	for _, p := range whole {
		pkts = append(pkts, p)
		cuts := truncated(r, p)
		pkts = append(pkts, cuts[r.IntN(len(cuts))], cuts[r.IntN(len(cuts))])
	}
	k := newKernelFilter(t)
	for n := range 150 {
		expr := s.sentence(2)
		snaplen := []int{0, 1, 60, 65535}[n%4]
		p, err := CompileOptions(expr, Ethernet, Options{Snaplen: snaplen})
		if errors.Is(err, ErrNeverMatches) {
			continue
		}
		var e *Error
		if errors.As(err, &e) && (e.Kind == KindUnknownName || e.Kind == KindQualifier) {
			continue // such as "udp port http"
		}
		if err != nil {
			t.Fatalf("%q: %v", expr, err)
		}
		if err := k.attach(p.Insns); err != nil {
			t.Fatalf("%q: attach: %v\n%s", expr, err, p.Dump())
		}
		for _, pkt := range pkts {
			if len(pkt) == 0 {
				continue // not to be told from no packet
			}
			want, err := k.match(pkt)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Match(pkt, len(pkt)); got != want {
				t.Fatalf("%q on %x: got %d, the kernel keeps %d\n%s", expr, pkt, got, want, p.Dump())
			}
		}
	}
}

// TestLanguageAgainstKernel compares verdicts on the whole language, of
// optimized and unoptimized programs, for every link type. The kernel takes
// programs for live packets too. Those of this socket have no VLAN tag beside
// them.
func TestLanguageAgainstKernel(t *testing.T) {
	k := newKernelFilter(t)
	for i, lt := range []LinkType{Ethernet, Raw, LinuxSLL, LinuxSLL2} {
		r := rand.New(rand.NewPCG(41, uint64(i)))
		s := linguist{sentencer{r}, lt}
		whole, noise := packetsOf(lt, r)
		for n := range 120 {
			expr := s.sentence(2)
			if n%8 == 0 {
				expr = s.tunnelled()
			}
			o := asTcpdump
			p, err := CompileOptions(expr, lt, o)
			var e *Error
			if errors.As(err, &e) {
				continue
			}
			plain := unoptimizedOf(t, expr, lt, o)
			o.Live = true
			live, err := CompileOptions(expr, lt, o)
			if err != nil && lt == Ethernet {
				t.Fatalf("%q: %v", expr, err)
			}
			if live != nil {
				if err := k.attach(live.Insns); err != nil {
					t.Fatalf("%v %q: live: %v\n%s", lt, expr, err, live.Dump())
				}
			}
			for range 60 {
				pkt := whole[r.IntN(len(whole))]
				got := p.Match(pkt, len(pkt))
				if want := plain.Match(pkt, len(pkt)); got != want {
					t.Fatalf("%v %q on %x: got %d, unoptimized %d\n%s", lt, expr, pkt, got, want, p.Dump())
				}
				if lt == Ethernet { // the filter for live packets is attached
					want, err := k.match(pkt)
					if got := live.MatchMeta(pkt, len(pkt), &Meta{}); err != nil || got != want {
						t.Fatalf("%q on %x: got %d, live %d, %v\n%s", expr, pkt, got, want, err, live.Dump())
					}
				}
			}
			if err := k.attach(p.Insns); err != nil {
				t.Fatalf("%v %q: %v\n%s", lt, expr, err, p.Dump())
			}
			for j := range 30 {
				pkt := whole[r.IntN(len(whole))]
				if j%3 == 0 {
					pkt = pkt[:1+r.IntN(min(90, len(pkt)))]
				} else if j%7 == 0 {
					pkt = noise[r.IntN(len(noise))]
				}
				if len(pkt) == 0 {
					continue // not to be told from no packet
				}
				want, err := k.match(pkt)
				if got := p.Match(pkt, len(pkt)); err != nil || got != want {
					t.Fatalf("%v %q on %x: got %d, the kernel keeps %d, %v\n%s", lt, expr, pkt, got, want, err, p.Dump())
				}
			}
		}
	}
}

// judgeable reports whether a test can know what a program does: it does not
// ask for a random number, a CPU, or what we do not calculate.
func judgeable(p *Program) bool {
	for _, ins := range p.Insns {
		if ins.Op&(classMask|modeMask) != classLoad|modeAbsolute {
			continue
		}
		switch ins.K - ancillaryBase {
		case ancillaryRandom, ancillaryCPU, ancillaryAttribute, ancillaryNested, ancillaryPayload:
			return false
		case ancillaryIfIndex, ancillaryHAType:
			// Without an interface the kernel keeps A bytes, whatever A is.
			return false
		}
	}
	return true
}

// TestMachineAgainstKernel compares the machine with the kernel's on random
// programs, which use instructions that the compiler does not write.
func TestMachineAgainstKernel(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	k := newKernelFilter(t)
	pkt := tcp4("10.0.0.1", "10.0.0.2", 80, 443)
	accepted := 0
	for range 20000 {
		p := randomInstructions(r)
		valid := validate(p.Insns)
		err := k.attach(p.Insns)
		if (valid == nil) != (err == nil) {
			t.Fatalf("the kernel says %v, validate says %v\n%s", err, valid, p.Dump())
		}
		if err != nil {
			continue
		}
		accepted++
		want, err := k.match(pkt)
		if err != nil {
			t.Fatal(err)
		}
		if !judgeable(p) {
			continue
		}
		// A packet of such a socket has no interface and no tag.
		if got := p.MatchMeta(pkt, len(pkt), &Meta{}); got != want {
			t.Fatalf("got %d, the kernel keeps %d\n%s", got, want, p.Dump())
		}
	}
	if accepted < 1000 {
		t.Errorf("only %d programs are valid", accepted)
	}
}
