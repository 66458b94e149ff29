// Package bpfc compiles packet filter expressions, in the language of
// pcap-filter(7), to classic BPF programs for Linux sockets and for capture
// files. It needs neither libpcap nor cgo, makes no system calls and does no
// I/O.
//
// # What is compiled
//
// Packets of Ethernet (LINKTYPE_ETHERNET), with these primitives:
//
//	host, net, port, portrange   with src, dst, src or dst, src and dst,
//	                             and with ip, ip6, arp, rarp, tcp, udp, sctp
//	ether src, dst, host         with a MAC address
//	proto                        alone and with ip, ip6, ether
//	ip ip6 arp rarp tcp udp sctp icmp icmp6 igmp igrp pim vrrp carp ah esp
//	less, greater                with a length in bytes
//
// joined by and, or, not, their signs && || ! and parentheses. As in libpcap,
// and and or have the same precedence and bind to the left, not binds to the
// one term behind it, and an operand without qualifiers takes those of the
// operand before it: "port 80 or 443". Other words of pcap-filter(7), such as
// vlan or ip[0], are refused with an error of KindUnsupported.
//
// # How it works
//
// An expression passes through plain data structures, one after the other:
//
//	text     lexer.go     tokens, with their place in the text
//	tokens   parser.go    syntax tree, see Expr
//	tree     resolve.go   formula: names and addresses become tests of fields
//	formula  formula.go   blocks: a value, a test, and two pointers
//	blocks   thread.go    known tests are passed over
//	         gather.go    long lists become search trees
//	         load.go      loads are left out where a register has the value
//	blocks   section.go   blocks with the same instructions become one
//	sections layout.go    instructions, with jumps as offsets
//
// Blocks are hash-consed, that is, equal ones are never made twice, so that a
// program is a directed acyclic graph whose parts share all equal ends.
//
// # Verdicts
//
// A load past the end of a packet ends a classic BPF program, and the packet
// is rejected, also under "not". The passes therefore move no load before
// another one and drop none, unless it is proven that it cannot fail: the
// optimized program has the verdict of the unoptimized one for every packet,
// however short. For whole packets both agree with libpcap. For truncated
// ones they agree with libpcap's unoptimized programs; its optimized ones can
// differ from them.
//
// # Use
//
// Compile returns the instructions for a socket, for example for the filter
// of a packet socket. CompileOptions returns a Program, which can also be run
// on packets (Match) and listed (Dump).
package bpfc
