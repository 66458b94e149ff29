// Package report says what happened to the connections of a capture: each event
// with who did it and why, as lines, JSON or a picture, and the list of
// connections, as a table, JSON or CSV.
//
// It takes packets as sightings, from files or from a stream that is still being
// written, and writes to whatever takes it. Text of packets, pods and processes
// is made harmless for terminals and for pages.
//
//	events, err := report.NewEvents(os.Stdout, report.EventsConfig{Format: "text"})
//	if err != nil {
//		return err // says what -o or --only cannot be
//	}
//	err = sight.Read(stream, "", events.See)
//	return errors.Join(err, events.Finish())
//
//	flows, err := report.NewFlows(report.FlowsConfig{Sort: "bytes", Pairs: true})
//	if err != nil {
//		return err
//	}
//	err = sight.Read(stream, "", flows.See)
//	return errors.Join(err, flows.Print(os.Stdout))
package report
