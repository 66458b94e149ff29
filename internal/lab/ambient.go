package lab

import "fmt"

// What ambient mode marks its packets with: those of ztunnel's sockets, and
// the connections that these belong to.
const (
	markZtunnel   = 0x539
	markConn      = 0x111
	ambientMask   = 0xfff
	tableAmbient  = 100
	prefAmbient   = 32764
	tableTProxy   = 133
	zoneZtunnel   = 1
	chainPrert    = "ISTIO_PRERT"
	chainOutput   = "ISTIO_OUTPUT"
	redirectProxy = "REDIRECT --to-ports"
)

// ambient is what istio-cni writes into a pod of ambient mode.
func (s ruleSpec) ambient(f family) []*tableText {
	tables := []*tableText{s.ambientMangle(), s.ambientNAT(f)}
	if s.dns != dnsNone {
		tables = append(tables, s.ambientRaw())
	}
	return tables
}

// hooked is a table whose two chains for incoming and outgoing packets are
// all that there is.
func hooked(t *tableText) *tableText {
	t.chains = []string{chainPrert, chainOutput}
	t.add("PREROUTING", "-j %s", chainPrert)
	t.add("OUTPUT", "-j %s", chainOutput)
	return t
}

// ambientMangle marks the connections in which ztunnel plays the client, so
// that the answers of the application come back to ztunnel.
func (s ruleSpec) ambientMangle() *tableText {
	t := hooked(mangleTable())
	t.add(chainPrert, "-m mark --mark %#x/%#x -j CONNMARK --set-xmark %#x/%#x",
		markZtunnel, ambientMask, markConn, ambientMask)
	t.add(chainOutput, "-m connmark --mark %#x/%#x -j CONNMARK --restore-mark", markConn, ambientMask)
	return t
}

func (s ruleSpec) ambientNAT(f family) *tableText {
	t := hooked(natTable())
	foreign := fmt.Sprintf("-m mark ! --mark %#x/%#x", markZtunnel, ambientMask)
	if !s.ingress {
		t.add(chainPrert, "-s %s -p tcp -m tcp -j ACCEPT", f.kubelet)
		t.add(chainPrert, "! -d %s -p tcp -m tcp ! --dport %d %s -j %s %d",
			f.loopback, PortTunnel, foreign, redirectProxy, PortInbound)
	}
	t.add(chainOutput, "-d %s -p tcp -m tcp -j ACCEPT", f.kubelet)
	if s.dns != dnsNone {
		t.add(chainOutput, "! -o lo -p udp %s -m udp --dport 53 -j %s %d", foreign, redirectProxy, PortDNS)
		t.add(chainOutput, "! -d %s -p tcp -m tcp --dport 53 %s -j %s %d",
			f.loopback, foreign, redirectProxy, PortDNS)
	}
	t.add(chainOutput, "-p tcp -m mark --mark %#x/%#x -j ACCEPT", markConn, ambientMask)
	t.add(chainOutput, "! -d %s -o lo -j ACCEPT", f.loopback)
	t.add(chainOutput, "! -d %s -p tcp %s -j %s %d", f.loopback, foreign, redirectProxy, PortOutbound)
	return t
}

// ambientRaw keeps ztunnel's queries apart from the application's.
func (s ruleSpec) ambientRaw() *tableText {
	t := hooked(rawTable())
	t.add(chainOutput, "-p udp -m mark --mark %#x/%#x -m udp --dport 53 -j CT --zone %d",
		markZtunnel, ambientMask, zoneZtunnel)
	t.add(chainPrert, "-p udp -m mark ! --mark %#x/%#x -m udp --sport 53 -j CT --zone %d",
		markZtunnel, ambientMask, zoneZtunnel)
	return t
}
