// Package measure runs programs under load, in network namespaces of its own,
// and tells what each run gave.
//
// What is measured of one program stands in files of its own: a run under
// load (run.go), the search for the highest rate without loss (search.go),
// the start (start.go), the cost of waiting (idle.go). A [Suite] does all of
// it with all programs in turn.
package measure
