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
//	formula  list.go      long lists become tests of sets and tries
//	formula  formula.go   blocks: a value, a test, and two pointers
//	blocks   fold.go      repeated tests are passed over
//	         thread.go    tests that facts decide are passed over
//	         gather.go    tests of one value become tests of sets
//	         pullup.go    tests of a value that is loaded come first
//	         likely.go    common protocols come first
//	         twin.go      parts that differ in offsets become one
//	         set.go       tests of sets become search trees
//	         load.go      loads are left out where a register has the value
//	blocks   section.go   blocks with the same instructions become one
//	sections layout.go    instructions, with jumps as offsets
//
// After folding, blocks are hash-consed, that is, equal ones are never made
// twice, so that a program is a directed acyclic graph whose parts share all
// equal ends.
//
// # Verdicts
//
// For whole packets, the verdict is that of libpcap's programs.
//
// A load past the end of a packet ends a classic BPF program, and the packet
// is rejected, also under "not". So it matters for truncated packets which
// loads a program makes, and in which order, and there the optimized programs
// of libpcap differ from its unoptimized ones. Those of this package drop and
// move loads where libpcap's optimizer does; elsewhere no load is moved before
// another one, and none is dropped unless it is proven that it cannot fail. The
// verdict on a truncated packet is therefore that of one of libpcap's programs
// or of the other. Expressions that contradict themselves can be exceptions:
// what is known about them depends on the optimizer.
//
// # Use
//
// Compile returns the instructions for a socket, for example for the filter
// of a packet socket. CompileOptions returns a Program, which can also be run
// on packets (Match), with what the kernel knows beside their bytes
// (MatchMeta), and listed (Dump).
package bpfc
