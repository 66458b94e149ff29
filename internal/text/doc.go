// Package text renders a packet as one line for people, in the form that
// tcpdump has made familiar:
//
//	12:34:56.789012 lo:inbound-app IP 127.0.0.6.41234 > 10.244.0.5.8080: Flags [P.], seq 1:79, ack 1, win 512, length 78: HTTP: GET / HTTP/1.1
//
// The label behind the time, interface and leg, is what tcpdump does not have.
// What TCP carries is recognised by its first bytes, not by its port, because a
// proxy speaks HTTP and TLS on ports of its own.
//
// Packets come from strangers. Every length is checked against what was
// captured; a header that is cut short shows as [|ip], [|tcp] and so on; and
// text out of a packet is printable ASCII, whatever it was, so that no packet
// can talk to the terminal. Only the printer's own colours do, if it is to have
// any.
package text
