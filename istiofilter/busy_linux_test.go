package istiofilter_test

import (
	"context"
	"encoding/binary"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"icap/internal/flow"
	"icap/internal/lab"
	"icap/internal/lab/labtest"
	"icap/istiofilter"
)

// busyPort is where the app listens, in the midst of the few local ports that
// the pod has.
const (
	busyPort  = 10100
	busyRange = "10000 10199"
)

// TestBusyPod has requests of all kinds at a time, in a pod with so few local
// ports that app and proxy use the same ones again and again.
func TestBusyPod(t *testing.T) {
	l := labtest.New(t, lab.Config{AppPort: busyPort})
	err := l.App.NS.Do(func() error {
		return os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte(busyRange), 0)
	})
	if err != nil {
		t.Fatal(err)
	}
	pod := readPod(t, l.App.NS)
	if pod.FirstEphemeral != 10000 || pod.LastEphemeral != 10199 {
		t.Fatalf("ephemeral ports are %d to %d", pod.FirstEphemeral, pod.LastEphemeral)
	}
	records := capturePod(t, l, func() { busy(t, l) })
	truth := judgeBySequence(t, l, records)
	j := newJudge(t, namedPod{"busy", pod})
	seen := make(map[istiofilter.Leg]int)
	for i := range records {
		leg := j.judgeFrame(t, records[i].frame, records[i].Packet)
		if leg != truth[i] {
			t.Errorf("packet %d of %d, %+v, is on %v, want %v", i, len(records), records[i].Packet, leg, truth[i])
		}
		seen[leg]++
	}
	t.Logf("packets on legs: %v", seen)
	for _, leg := range []istiofilter.Leg{
		istiofilter.InboundWire, istiofilter.InboundApp, istiofilter.OutboundApp,
		istiofilter.OutboundWire, istiofilter.SelfWire, istiofilter.Self,
	} {
		if seen[leg] < 100 {
			t.Errorf("%d packets on %v", seen[leg], leg)
		}
	}
	checkAlone(t, j, records)
	for _, part := range []int{2, 3, 5, 10} {
		checkLate(t, pod, records, truth, len(records)/part)
	}
}

// busy makes the requests.
func busy(t *testing.T, l *lab.Lab) {
	const workers, rounds = 8, 8
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range rounds {
				for _, do := range []func(context.Context, string) (lab.Exchange, error){
					l.OutboundMesh, l.SelfDirect, l.SelfService, l.OutboundPassthrough, l.Localhost,
					func(ctx context.Context, path string) (lab.Exchange, error) { return l.Inbound(ctx, true, path) },
				} {
					if x, err := do(ctx, "/bytes?n=5000"); err != nil || x.Status != 200 {
						t.Errorf("%+v, %v", x, err)
					}
				}
			}
		})
	}
	wg.Wait()
}

// judgeBySequence tells the legs by what the lab is known to do. What answers
// within the pod it tells by the sequence number of the SYN that a SYN-ACK
// acknowledges, which a classifier does not look at.
func judgeBySequence(t *testing.T, l *lab.Lab, records []record) []istiofilter.Leg {
	t.Helper()
	legs := make([]istiofilter.Leg, len(records))
	bySequence := make(map[uint32]istiofilter.Leg)
	byEnds := make(map[[2]netip.AddrPort]istiofilter.Leg)
	for i := range records {
		r := &records[i]
		leg := structure(l, r)
		if leg == istiofilter.Self && r.Src.Addr() == l.App.Addr && r.Src.Port() == busyPort {
			ends := [2]netip.AddrPort{r.Src, r.Dst}
			if r.SYN {
				known, ok := bySequence[r.acknowledges()-1]
				if !ok {
					t.Fatalf("packet %d, %+v, answers no SYN", i, r.Packet)
				}
				byEnds[ends] = known
			}
			leg = byEnds[ends]
		}
		if r.opens() {
			bySequence[r.sequence()] = leg
		}
		legs[i] = leg
	}
	return legs
}

// structure tells the leg of a packet of TestBusyPod by its addresses, and Self
// for all that stays in the pod.
func structure(l *lab.Lab, r *record) istiofilter.Leg {
	loopback := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	switch {
	case r.Proto != flow.ProtoTCP:
		return istiofilter.Direct
	case !r.Loopback && (r.Src.Port() == busyPort && r.Sent || r.Dst.Port() == busyPort && !r.Sent):
		return istiofilter.InboundWire
	case !r.Loopback:
		return istiofilter.OutboundWire
	case r.Src.Addr() == istiofilter.ProxySources()[0] || r.Dst.Addr() == istiofilter.ProxySources()[0]:
		return istiofilter.InboundApp
	case r.Dst == netip.AddrPortFrom(loopback, lab.PortOutbound),
		r.Src == l.Service, r.Src == l.OwnService, r.Src == l.Outside:
		return istiofilter.OutboundApp
	case r.Dst == netip.AddrPortFrom(loopback, lab.PortInbound):
		return istiofilter.SelfWire
	default:
		return istiofilter.Self
	}
}

// checkLate begins to capture in the middle. Who answers whom in the pod is
// not known then, until the other half of the connection is seen.
func checkLate(t *testing.T, pod *istiofilter.Pod, records []record, truth []istiofilter.Leg, from int) {
	t.Helper()
	within := istiofilter.Set(istiofilter.Self, istiofilter.SelfWire)
	c := istiofilter.NewClassifier(pod)
	wrong := 0
	for i := from; i < len(records); i++ {
		leg := c.Leg(&records[i].Packet)
		switch {
		case leg == truth[i]:
		case within.Has(leg) && within.Has(truth[i]):
			wrong++
		default:
			t.Errorf("from %d on packet %d, %+v, is on %v, want %v", from, i, records[i].Packet, leg, truth[i])
		}
	}
	t.Logf("from %d on: %d of %d packets wrong within the pod", from, wrong, len(records)-from)
	if wrong > 100 {
		t.Errorf("from %d on: %d packets wrong within the pod", from, wrong)
	}
}

// sequence and acknowledges are fields of the TCP header, RFC 9293, which has
// no options in front of it that this test would have to skip.
func (r *record) sequence() uint32     { return r.word(4) }
func (r *record) acknowledges() uint32 { return r.word(8) }

func (r *record) word(at int) uint32 {
	const tcp = etherLen + 20
	return binary.BigEndian.Uint32(r.frame[tcp+at:])
}
