package bpfc

import (
	"slices"
	"strings"
)

// A wordClass is the part that a keyword plays in the grammar.
type wordClass uint8

const (
	wordNone      wordClass = iota
	wordOperator            // and or not
	wordProtocol            // tcp, ip6 ...: a qualifier, or a primitive by itself
	wordLink                // ether: a qualifier only
	wordDirection           // src dst
	wordType                // host net port portrange gateway
	wordProto               // proto protochain
	wordMask                // mask
	wordLength              // less greater
	wordLen                 // len: a number
	wordByte                // byte
	wordCast                // broadcast multicast
	wordFlow                // inbound outbound ifindex
	wordTag                 // vlan, mpls ...: what packets are wrapped in
	wordLLC                 // llc

	// The words below belong to other link types.
	wordWireless
	wordATM
	wordSS7
	wordFirewall // the log of OpenBSD's pf
)

type keyword struct {
	word  string
	class wordClass
}

// keywords is sorted by word. Those of other link types are reserved all the
// same, as a host of that name must be escaped for libpcap too.
var keywords = [...]keyword{
	{"aarp", wordProtocol}, {"action", wordFirewall}, {"addr1", wordWireless},
	{"addr2", wordWireless}, {"addr3", wordWireless}, {"addr4", wordWireless},
	{"address1", wordWireless}, {"address2", wordWireless},
	{"address3", wordWireless}, {"address4", wordWireless}, {"ah", wordProtocol},
	{"and", wordOperator}, {"arp", wordProtocol}, {"atalk", wordProtocol},
	{"bcc", wordATM}, {"broadcast", wordCast}, {"byte", wordByte},
	{"carp", wordProtocol}, {"clnp", wordProtocol}, {"connectmsg", wordATM},
	{"csnp", wordProtocol}, {"decnet", wordProtocol}, {"dir", wordWireless},
	{"direction", wordWireless}, {"dpc", wordSS7}, {"dst", wordDirection},
	{"es-is", wordProtocol}, {"esis", wordProtocol}, {"esp", wordProtocol},
	{"ether", wordLink}, {"fddi", wordLink}, {"fisu", wordSS7},
	{"gateway", wordType}, {"geneve", wordTag}, {"greater", wordLength},
	{"hdpc", wordSS7}, {"hfisu", wordSS7}, {"hlssu", wordSS7}, {"hmsu", wordSS7},
	{"hopc", wordSS7}, {"host", wordType}, {"hsio", wordSS7}, {"hsls", wordSS7},
	{"icmp", wordProtocol}, {"icmp6", wordProtocol}, {"ifindex", wordFlow},
	{"ifname", wordFirewall}, {"igmp", wordProtocol}, {"igrp", wordProtocol},
	{"iih", wordProtocol}, {"ilmic", wordATM}, {"inbound", wordFlow},
	{"ip", wordProtocol}, {"ip6", wordProtocol}, {"ipx", wordProtocol},
	{"is-is", wordProtocol}, {"isis", wordProtocol}, {"iso", wordProtocol},
	{"l1", wordProtocol}, {"l2", wordProtocol}, {"lane", wordATM},
	{"lat", wordProtocol}, {"len", wordLen}, {"length", wordLen},
	{"less", wordLength}, {"link", wordLink}, {"llc", wordLLC},
	{"lsp", wordProtocol}, {"lssu", wordSS7}, {"lsu", wordSS7},
	{"mask", wordMask}, {"metac", wordATM}, {"metaconnect", wordATM},
	{"mopdl", wordProtocol}, {"moprc", wordProtocol}, {"mpls", wordTag},
	{"msu", wordSS7}, {"multicast", wordCast}, {"net", wordType},
	{"netbeui", wordProtocol}, {"not", wordOperator}, {"oam", wordATM},
	{"oamf4", wordATM}, {"oamf4ec", wordATM}, {"oamf4sc", wordATM},
	{"on", wordFirewall}, {"opc", wordSS7}, {"or", wordOperator},
	{"outbound", wordFlow}, {"pim", wordProtocol}, {"port", wordType},
	{"portrange", wordType}, {"ppp", wordLink}, {"pppoed", wordTag},
	{"pppoes", wordTag}, {"proto", wordProto}, {"protochain", wordProto},
	{"psnp", wordProtocol}, {"ra", wordWireless}, {"radio", wordProtocol},
	{"rarp", wordProtocol}, {"reason", wordFirewall}, {"rnr", wordFirewall},
	{"rset", wordFirewall}, {"rulenum", wordFirewall}, {"ruleset", wordFirewall},
	{"sc", wordATM}, {"sca", wordProtocol}, {"sctp", wordProtocol},
	{"sio", wordSS7}, {"slip", wordLink}, {"sls", wordSS7}, {"snp", wordProtocol},
	{"src", wordDirection}, {"srnr", wordFirewall}, {"stp", wordProtocol},
	{"subrulenum", wordFirewall}, {"subtype", wordWireless}, {"ta", wordWireless},
	{"tcp", wordProtocol}, {"tr", wordLink}, {"type", wordWireless},
	{"udp", wordProtocol}, {"vci", wordATM}, {"vlan", wordTag}, {"vpi", wordATM},
	{"vrrp", wordProtocol}, {"vxlan", wordTag}, {"wlan", wordLink},
}

// canonical returns the first spelling of a protocol that has two.
func canonical(word string) string {
	switch word {
	case "es-is":
		return "esis"
	case "is-is":
		return "isis"
	}
	return word
}

// isForeign reports whether words of the class belong to other link types.
func (c wordClass) isForeign() bool { return c >= wordWireless }

// classOf returns the class of a keyword, or wordNone for other words.
// Keywords are written in small letters: "TCP" is the name of a host.
func classOf(word string) wordClass {
	i, ok := slices.BinarySearchFunc(keywords[:], word,
		func(k keyword, w string) int { return strings.Compare(k.word, w) })
	if !ok {
		return wordNone
	}
	return keywords[i].class
}
