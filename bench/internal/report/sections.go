package report

import (
	"fmt"

	"icap/bench/internal/measure"
	"icap/bench/internal/peer"
	"icap/bench/internal/stats"
)

// A section is a table under a heading, with a note between them.
type section struct {
	heading string
	table   table
	note    string
}

// sections are all tables of what was measured.
func sections(o *measure.Outcome, peers []peer.Peer) []section {
	var all []section
	for i := range o.Series {
		s := &o.Series[i]
		all = append(all, section{s.Job.String(), seriesTable(s, peers), tooSlow(s, peers)})
	}
	for i := range o.Searches {
		s := &o.Searches[i]
		all = append(all, section{"Highest rate with less than 0.01 % lost, " + s.Mix + ", tmpfs", searchTable(s, peers), ""})
	}
	if len(o.Starts) > 0 {
		all = append(all, section{"From exec to the first packet in the file", startTable(o, peers), ""})
	}
	if len(o.Alone) > 0 {
		all = append(all, section{"Waiting, no packets", idleTable(o, peers), ""})
	}
	if len(o.Garbage) > 0 {
		all = append(all, section{"Collections of garbage under load, start-up not counted", garbageTable(o, peers), ""})
	}
	return all
}

// tooSlow tells of runs that were easier than they should have been.
func tooSlow(s *measure.Series, peers []peer.Peer) string {
	slow, all := 0, 0
	for i := range peers {
		for _, r := range s.Good(peers[i].Name) {
			all++
			if !s.Kept(&r) {
				slow++
			}
		}
	}
	if slow == 0 || s.Job.Count == 0 {
		return ""
	}
	return fmt.Sprintf("The sender did not keep the rate in %d of %d runs: the machine was busy, or is too slow.", slow, all)
}

func searchTable(s *measure.Search, peers []peer.Peer) table {
	t := table{{"program", "kpps", "to " + peer.Ring}}
	for i := range peers {
		rate := stats.Of(stats.Measured(s.Rates[peers[i].Name])).Median
		to := "-"
		if r := stats.Ratios(s.Rates[peers[i].Name], s.Rates[peer.Ring]); len(r) > 0 {
			to = fmt.Sprintf("%.2f", stats.Of(r).Median)
		}
		t = append(t, []string{peers[i].Name, number(rate / 1000), to})
	}
	return t
}

func startTable(o *measure.Outcome, peers []peer.Peer) table {
	t := table{{"program", "ms", "min-max", "to " + peer.Tcpdump}}
	for i := range peers {
		name := peers[i].Name
		took := stats.Measured(o.Starts[name])
		if len(took) == 0 {
			continue
		}
		v := stats.Of(took)
		t = append(t, []string{
			name,
			fmt.Sprintf("%.1f", v.Median),
			fmt.Sprintf("%.1f-%.1f", v.Min, v.Max),
			spreadCell(stats.Ratios(o.Starts[name], o.Starts[peer.Tcpdump])),
		})
	}
	return t
}

func idleTable(o *measure.Outcome, peers []peer.Peer) table {
	t := table{{"program", "interfaces", "CPU ms to be ready", "then CPU ms/s", "min-max", "RSS MiB"}}
	row := func(name string, interfaces int, values []measure.Idle) {
		if len(values) == 0 {
			return
		}
		ready := stats.Of(collectIdle(values, func(i measure.Idle) float64 { return i.Ready }))
		cpu := stats.Of(idleCPU(values))
		memory := stats.Of(collectIdle(values, func(i measure.Idle) float64 { return float64(i.Memory) }))
		t = append(t, []string{
			name, fmt.Sprint(interfaces),
			fmt.Sprintf("%.1f", ready.Median),
			fmt.Sprintf("%.2f", cpu.Median),
			fmt.Sprintf("%.2f-%.2f", cpu.Min, cpu.Max),
			number(memory.Median / (1 << 20)),
		})
	}
	for i := range peers {
		row(peers[i].Name, 1, o.Alone[peers[i].Name])
	}
	for i := range peers {
		row(peers[i].Name, o.Many, o.Crowd[peers[i].Name])
	}
	return t
}

func idleCPU(values []measure.Idle) []float64 {
	return collectIdle(values, func(i measure.Idle) float64 { return i.CPU })
}

func collectIdle(values []measure.Idle, f func(measure.Idle) float64) []float64 {
	var all []float64
	for _, v := range values {
		all = append(all, f(v))
	}
	return all
}

func garbageTable(o *measure.Outcome, peers []peer.Peer) table {
	t := table{{"program", "packets", "collections", "with GOGC=1"}}
	for i := range peers {
		g, ok := o.Garbage[peers[i].Name]
		if !ok {
			continue
		}
		t = append(t, []string{peers[i].Name, fmt.Sprint(g.Packets), fmt.Sprint(g.Normal), fmt.Sprint(g.Strict)})
	}
	return t
}

// spreadCell shows the median of paired ratios and their extremes.
func spreadCell(values []float64) string {
	if len(values) == 0 {
		return "-"
	}
	v := stats.Of(values)
	return fmt.Sprintf("%.2f (%.2f-%.2f)", v.Median, v.Min, v.Max)
}
