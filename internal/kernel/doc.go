// Package kernel asks the kernel what a network namespace looks like:
// interfaces and addresses, listening sockets and their owners, the range of
// ephemeral ports, and where NAT rules redirect connections to.
//
// # Which namespace
//
// Every function asks the network namespace of the calling thread. To ask
// about another one, the caller locks its goroutine to a thread, enters the
// namespace with setns(2) and calls from there. No function starts a
// goroutine, so every socket is opened on the thread of the caller, and none
// outlives the call.
//
// # What is never done
//
// Nothing here changes the namespace. In particular no table of iptables comes
// into being because somebody looked: asking for a legacy table by name would
// make the kernel create it.
//
// # Privileges
//
// Links, Listeners and EphemeralPorts need none. ReadRedirects needs
// CAP_NET_ADMIN in the namespace. Owners sees processes of other users only
// with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH. An error for want of one wraps
// [io/fs.ErrPermission] and names it.
package kernel
