// Package bpfc compiles packet filter expressions, in the language of
// pcap-filter(7), to classic BPF programs for Linux sockets and for capture
// files. It needs neither libpcap nor cgo, makes no system calls and does no
// I/O.
//
// # What is compiled
//
// All that tcpdump 4.99 accepts for Ethernet (EN10MB), for Linux's cooked
// packets (LINUX_SLL, LINUX_SLL2) and for RAW packets:
//
//	host, net, port, portrange   with src, dst, src or dst, src and dst,
//	                             and with ip, ip6, arp, rarp, tcp, udp, sctp
//	ether src, dst, host         with a MAC address; gateway with a Resolver
//	decnet src, dst, host        with a DECnet address
//	proto, protochain            alone and with ip, ip6, ether, iso, isis
//	ip ip6 arp rarp tcp udp sctp icmp icmp6 igmp igrp pim vrrp carp ah esp
//	iso clnp esis isis l1 l2 iih lsp snp csnp psnp stp ipx netbeui
//	atalk aarp decnet lat moprc mopdl sca, llc and llc with a kind
//	broadcast, multicast         alone and with ether, ip, ip6
//	less, greater, byte          with numbers
//	inbound, outbound, ifindex   of live packets, and of cooked ones
//	vlan mpls pppoed pppoes      with and without a number; what stands
//	geneve vxlan                 behind them is about what they carry
//	ip[8] < 2 and the like       with + - * / % & | ^ << >>, len, and names
//	                             such as tcpflags and icmp-echo
//
// joined by and, or, not, their signs && || ! and parentheses. As in libpcap,
// and and or have the same precedence and bind to the left, not binds to the
// one term behind it, an operand without qualifiers takes those of the
// operand before it ("port 80 or 443"), and the signs % and ^ take all that
// follows as their right side.
//
// It differs from libpcap where that is better. Networks with host bits are
// brought into normal form with a Note. Text behind "geneve" has a meaning for
// packets without a tunnel too: that of text before it. A chain of headers is
// followed over four headers, with a program that Linux accepts; packets with
// more are rejected.
//
// # Live and in files
//
// A packet socket does not deliver what a file has. With Options.Live, "vlan"
// asks the kernel for the tag that the network card has taken off the frame,
// and where there is none looks into the frame; text behind it is about the
// right place in both cases. For packets that never come to "vlan", as those
// that are not TCP in "tcp and vlan or udp", it is about the frame as it is.
// For cooked link types the packets have no link-layer header, and the kernel
// is asked for its fields.
//
// # How it works
//
// An expression passes through plain data structures, one after the other:
//
//	text     lexer.go     tokens, with their place in the text
//	tokens   parser.go    syntax tree, see Expr
//	tree     resolve.go   formula: names and addresses become tests of values,
//	                      which are fields or calculations (calc.go); where.go
//	                      knows where the headers are at a place in the text
//	formula  list.go      long lists become tests of sets and tries
//	formula  variants.go  of several programs, the best is taken in the end
//	formula  formula.go   blocks: a value, a test, and two pointers
//	blocks   move.go      what libpcap's optimizer sees is left out
//	         fold.go      the same for programs too large for that
//	         thread.go    tests that facts decide are passed over
//	         gather.go    tests of one value become tests of sets
//	         pullup.go    tests of a value that is loaded come first
//	         needless.go  loads that later ones make up for are left out
//	         likely.go    common protocols come first
//	         fragment.go  IPv4's protocol and fragment field are loaded at once
//	         unmask.go    prefixes become ranges
//	         twin.go      parts that differ in offsets become one
//	         index.go     also those with headers in several places
//	         set.go       tests of sets become search trees
//	         load.go      instructions that compute values (coder.go) are left
//	                      out where a register has the value
//	blocks   section.go   blocks with the same instructions become one
//	sections hoist.go     X is set before a jump where that saves another one
//	sections layout.go    instructions, with jumps as offsets
//
// After folding, blocks are hash-consed, that is, equal ones are never made
// twice, so that a program is a directed acyclic graph whose parts share all
// equal ends.
//
// # Verdicts
//
// The verdict is that of libpcap's programs.
//
// A load past the end of a packet ends a classic BPF program, and the packet
// is rejected, also under "not". So it matters for truncated packets which
// loads a program makes, and in which order, and there the optimized programs
// of libpcap differ from its unoptimized ones. Those of this package drop and
// move loads where libpcap's optimizer does, which depends on what it sees: it
// drops no first load, does not know that "ip[9] = 6" and "proto 6" are the
// same, and leaves expressions with "protochain" or "geneve" alone. Elsewhere no
// load is moved before another one, and none is dropped unless it is proven that
// it cannot fail, or that no packet is accepted for which it would. Expressions
// that contradict themselves can be exceptions.
//
// # Use
//
// Compile returns the instructions for a socket, for example for the filter
// of a packet socket. CompileOptions returns a Program, which can also be run
// on packets (Match), with what the kernel knows beside their bytes
// (MatchMeta), and listed (Dump).
package bpfc
