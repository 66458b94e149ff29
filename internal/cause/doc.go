// Package cause says who in a pod did what happened to a connection, and why,
// as far as packets tell.
//
// On which leg of Istio's traffic a packet was captured, and which way it went,
// says who sent it: the app, its proxy, or somebody outside of the pod. The
// shape of a RST says whether a process ended its connection or a kernel
// answered for a socket that is not there. Whoever is outside may be the peer
// or somebody on the way; that is said, and not guessed.
//
// What happens on one leg often makes the proxy end a connection on another.
// A [Judge] looks for that for a second, and names it as the impact.
package cause
