package bpfc

import (
	"slices"
	"strings"
)

// A wordClass is the part that a keyword plays in the grammar.
type wordClass uint8

const (
	wordNone        wordClass = iota
	wordOperator              // and or not
	wordProtocol              // tcp, ip6 ...: a qualifier, or a primitive by itself
	wordLink                  // ether: a qualifier only
	wordDirection             // src dst
	wordType                  // host net port portrange
	wordProto                 // proto
	wordMask                  // mask
	wordLength                // less greater
	wordUnsupported           // words of pcap-filter(7) that are not compiled yet
)

type keyword struct {
	word  string
	class wordClass
}

// keywords is sorted by word. Words that are not compiled yet are reserved
// all the same, as a host of that name must be escaped for libpcap too.
var keywords = [...]keyword{
	{"aarp", wordUnsupported}, {"action", wordUnsupported},
	{"addr1", wordUnsupported}, {"addr2", wordUnsupported},
	{"addr3", wordUnsupported}, {"addr4", wordUnsupported},
	{"address1", wordUnsupported}, {"address2", wordUnsupported},
	{"address3", wordUnsupported}, {"address4", wordUnsupported},
	{"ah", wordProtocol}, {"and", wordOperator}, {"arp", wordProtocol},
	{"atalk", wordUnsupported}, {"bcc", wordUnsupported},
	{"broadcast", wordUnsupported}, {"byte", wordUnsupported},
	{"carp", wordProtocol}, {"clnp", wordUnsupported},
	{"connectmsg", wordUnsupported}, {"csnp", wordUnsupported},
	{"decnet", wordUnsupported}, {"dir", wordUnsupported},
	{"direction", wordUnsupported}, {"dpc", wordUnsupported},
	{"dst", wordDirection}, {"es-is", wordUnsupported},
	{"esis", wordUnsupported}, {"esp", wordProtocol}, {"ether", wordLink},
	{"fddi", wordUnsupported}, {"fisu", wordUnsupported},
	{"gateway", wordUnsupported}, {"geneve", wordUnsupported},
	{"greater", wordLength}, {"host", wordType},
	{"icmp", wordProtocol}, {"icmp6", wordProtocol},
	{"icmpcode", wordUnsupported}, {"icmptype", wordUnsupported},
	{"ifindex", wordUnsupported}, {"ifname", wordUnsupported},
	{"igmp", wordProtocol}, {"igrp", wordProtocol},
	{"iih", wordUnsupported}, {"ilmic", wordUnsupported},
	{"inbound", wordUnsupported}, {"ip", wordProtocol},
	{"ip6", wordProtocol}, {"ipx", wordUnsupported},
	{"is-is", wordUnsupported}, {"isis", wordUnsupported},
	{"iso", wordUnsupported}, {"l1", wordUnsupported},
	{"l2", wordUnsupported}, {"lane", wordUnsupported},
	{"lat", wordUnsupported}, {"len", wordUnsupported},
	{"length", wordUnsupported}, {"less", wordLength},
	{"link", wordLink}, {"llc", wordUnsupported},
	{"lsp", wordUnsupported}, {"lssu", wordUnsupported},
	{"mask", wordMask}, {"metac", wordUnsupported},
	{"metaconnect", wordUnsupported}, {"mopdl", wordUnsupported},
	{"moprc", wordUnsupported}, {"mpls", wordUnsupported},
	{"msu", wordUnsupported}, {"multicast", wordUnsupported},
	{"net", wordType}, {"netbeui", wordUnsupported},
	{"not", wordOperator}, {"oam", wordUnsupported},
	{"oamf4", wordUnsupported}, {"on", wordUnsupported},
	{"opc", wordUnsupported}, {"or", wordOperator},
	{"outbound", wordUnsupported}, {"pim", wordProtocol},
	{"port", wordType}, {"portrange", wordType},
	{"ppp", wordUnsupported}, {"pppoed", wordUnsupported},
	{"pppoes", wordUnsupported}, {"proto", wordProto},
	{"protochain", wordUnsupported}, {"psnp", wordUnsupported},
	{"radio", wordUnsupported}, {"rarp", wordProtocol},
	{"reason", wordUnsupported}, {"rnr", wordUnsupported},
	{"rset", wordUnsupported}, {"rulenum", wordUnsupported},
	{"ruleset", wordUnsupported}, {"sc", wordUnsupported},
	{"sca", wordUnsupported}, {"sctp", wordProtocol},
	{"sio", wordUnsupported}, {"slip", wordUnsupported},
	{"sls", wordUnsupported}, {"snp", wordUnsupported},
	{"src", wordDirection}, {"srnr", wordUnsupported},
	{"stp", wordUnsupported}, {"subrulenum", wordUnsupported},
	{"subtype", wordUnsupported}, {"tcp", wordProtocol},
	{"tcpflags", wordUnsupported}, {"tr", wordUnsupported},
	{"type", wordUnsupported}, {"udp", wordProtocol},
	{"vci", wordUnsupported}, {"vlan", wordUnsupported},
	{"vpi", wordUnsupported}, {"vrrp", wordProtocol},
	{"vxlan", wordUnsupported}, {"wlan", wordUnsupported},
}

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
