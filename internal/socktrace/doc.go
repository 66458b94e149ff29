// Package socktrace hears from the kernel who does what to TCP sockets, by eBPF
// on three of its tracepoints: a socket changes its state, sends a RST, or gets
// one. So it knows the process of a connection that is over before anybody
// could have looked for it, and the kernel's own reason for a RST.
//
// The programs are made here, instruction by instruction, for the kernel that
// runs: its type information (BTF) says where the fields are, and which
// arguments a tracepoint has. Neither tracefs nor a compiler is needed.
package socktrace
