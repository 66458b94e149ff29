// Package peer lists the programs that are compared: how to start each one,
// what it says at its end, and how to read what it has written.
//
// A further program is an entry in list.go.
package peer
