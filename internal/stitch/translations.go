package stitch

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"icap/internal/flow"
)

// Translations are what the connection tracking of one network namespace knows
// of redirected connections. Of many, the ones that were told first are
// forgotten. The zero value is empty. It is for any number of goroutines.
type Translations struct {
	mu         sync.Mutex
	young, old map[half]translation
}

// A translation is what the app sees of a half, and when that was told.
type translation struct {
	src, dst netip.AddrPort
	at       time.Time
	// either says that a moment before something else was true, so that it
	// takes the packets themselves to know which of them are meant.
	either bool
}

// maxTranslations is how many are kept at least, and half of how many at most.
const maxTranslations = 1 << 16

// moment is how much later than its packets a translation may be told, or the
// packets of one that is over be looked up.
const moment = 5 * time.Second

// Note takes an entry of connection tracking at the time it was read: the
// original direction is from src to dst, answers are sent from replySrc to
// replyDst.
func (t *Translations) Note(at time.Time, proto uint8, src, dst, replySrc, replyDst netip.AddrPort) {
	h := half{proto, replyDst, replySrc} // what the receiver gets
	if !h.redirected() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := translation{src: src, dst: dst, at: at}
	if was, ok := t.find(h); ok {
		changed := was.src != src || was.dst != dst
		now.either = at.Sub(was.at) < moment && (changed || was.either)
	}
	if t.young == nil || len(t.young) >= maxTranslations {
		t.old, t.young = t.young, make(map[half]translation)
	}
	t.young[h] = now
}

// Read takes all entries of a list as conntrack(8) prints it, with -L or -E, or
// as /proc/net/nf_conntrack has it: one a line, in which src=, dst=, sport= and
// dport= stand twice. Lines of protocols without ports are left out. It returns
// how many connections with ports there were. Of two that follow each other in
// a list, the packets tell which one is meant.
func (t *Translations) Read(list io.Reader) (n int, err error) {
	lines := bufio.NewScanner(list)
	for number := 1; lines.Scan(); number++ {
		proto, ends, err := parseEntry(lines.Text())
		if err != nil {
			return n, fmt.Errorf("line %d: %w", number, err)
		}
		if proto != 0 {
			t.Note(time.Time{}, proto, ends[0], ends[1], ends[2], ends[3])
			n++
		}
	}
	return n, lines.Err()
}

// parseEntry reads a line: the addresses of the original direction and of the
// answers. The protocol is 0 where there are no ports.
func parseEntry(line string) (proto uint8, ends [4]netip.AddrPort, err error) {
	var addrs [4]netip.Addr
	var ports [4]uint16
	seen := make(map[string]int) // how often a key stood in the line
	for word := range strings.FieldsSeq(line) {
		switch word {
		case "tcp":
			proto = flow.ProtoTCP
		case "udp":
			proto = flow.ProtoUDP
		}
		key, value, _ := strings.Cut(word, "=")
		at := seen[key] * 2
		if at > 2 {
			continue
		}
		switch key {
		case "dst", "dport":
			at++
			fallthrough
		case "src", "sport":
			seen[key]++
			if err := parseEnd(key, value, &addrs[at], &ports[at]); err != nil {
				return 0, ends, err
			}
		}
	}
	if seen["src"] != 2 || seen["dst"] != 2 || seen["sport"] != 2 || seen["dport"] != 2 {
		return 0, ends, nil
	}
	for i := range ends {
		ends[i] = netip.AddrPortFrom(addrs[i], ports[i])
	}
	return proto, ends, nil
}

func parseEnd(key, value string, addr *netip.Addr, port *uint16) (err error) {
	if key == "src" || key == "dst" {
		*addr, err = netip.ParseAddr(value)
		return err
	}
	n, err := strconv.ParseUint(value, 10, 16)
	*port = uint16(n)
	return err
}

func (t *Translations) find(h half) (translation, bool) {
	if found, ok := t.young[h]; ok {
		return found, true
	}
	found, ok := t.old[h]
	return found, ok
}

// of is what the app sees of a half.
func (t *Translations) of(h half) (src, dst netip.AddrPort, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	found, ok := t.find(h)
	return found.src, found.dst, ok && !found.either
}
