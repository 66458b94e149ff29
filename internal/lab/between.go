package lab

import (
	"context"
	"net/netip"
)

// Between productpage and reviews there is the node, which can do more than
// forward their packets.

// ForgeBetween lets productpage call reviews by its service, and then ends the
// connection of the two proxies by a RST that neither has sent: the node sends it
// to productpage in the name of reviews.
func (l *Lab) ForgeBetween(ctx context.Context) error { return l.forgeBetween(ctx) }

// Part makes the node drop all that productpage and reviews send each other, or
// forward it again. What others send goes on.
func (l *Lab) Part(apart bool) error { return l.part(apart) }

// Balance makes the node do with what pods send to a service as kube-proxy
// does: its destination becomes another one, and its source an address and port
// of the node.
func (l *Lab) Balance(service, to netip.AddrPort) error { return l.balance(service, to) }
