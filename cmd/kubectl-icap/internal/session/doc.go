// Package session is one capture on many nodes: it places icap where the targets
// are, starts it there, takes up streams again that break, lets pods join that
// come later, and takes everything away at the end.
//
// What merges the streams is the caller's; see icap/internal/gather.
//
// Rule: one node or pod that fails takes nothing from the others. It is named at
// the end.
package session
