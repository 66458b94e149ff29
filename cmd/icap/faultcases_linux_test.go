package main

import (
	"cmp"
	"slices"
)

// A faultRow is one row of the table.
type faultRow struct {
	id, what string
	// quick rows are in every test run, for icap alone.
	quick bool
	run   func(s *scene)
}

// faultRows are all rows that a machine with root can produce, by their ids.
func faultRows() []faultRow {
	all := slices.Concat(outputFaults, interfaceFaults, signalFaults, loadFaults, startFaults)
	slices.SortFunc(all, func(a, b faultRow) int { return cmp.Compare(a.id, b.id) })
	return all
}
