// Package stream runs icap in a seat by exec, over WebSocket and, where that is
// refused, SPDY.
//
// Standard input is held open: it ends with the client, however that ends, and
// with it ends what runs there.
package stream
