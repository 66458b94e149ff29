package report

import (
	"fmt"

	"icap/bench/internal/measure"
	"icap/bench/internal/peer"
	"icap/bench/internal/stats"
)

// seriesTable shows one job: a row for each peer.
func seriesTable(s *measure.Series, peers []peer.Peer) table {
	peers = s.Job.Of(peers)
	if s.Job.Count == 0 {
		return fixedTable(s, peers)
	}
	t := table{{"program", "kpps", "CPU ns/packet", "to " + peer.Tcpdump, "to " + peer.Copy,
		"waited %", "lost %", "file B/packet", "RSS MiB"}}
	for i := range peers {
		p := &peers[i]
		good := s.Good(p.Name)
		costs := collect(good, (*measure.Result).Cost)
		t = append(t, []string{
			p.Name,
			number(stats.Of(collect(good, func(r *measure.Result) float64 { return r.Rate / 1000 })).Median),
			number(stats.Of(costs).Median),
			ratio(s, p.Name, peer.Tcpdump),
			ratio(s, p.Name, peer.Copy),
			number(100 * stats.Of(collect(good, (*measure.Result).Delay)).Max),
			fmt.Sprintf("%.2f", 100*stats.Of(collect(good, (*measure.Result).Loss)).Median),
			perPacket(p, good),
			number(stats.Of(collect(good, memory)).Median),
		})
	}
	return t
}

// fixedTable shows what the programs take between ready and exit without a
// packet, start-up not counted.
func fixedTable(s *measure.Series, peers []peer.Peer) table {
	t := table{{"program", "CPU ms", "min-max", "RSS MiB"}}
	for i := range peers {
		good := s.Good(peers[i].Name)
		cpu := stats.Of(collect(good, func(r *measure.Result) float64 { return r.CPU.Seconds() * 1000 }))
		t = append(t, []string{
			peers[i].Name,
			fmt.Sprintf("%.2f", cpu.Median),
			fmt.Sprintf("%.2f-%.2f", cpu.Min, cpu.Max),
			number(stats.Of(collect(good, memory)).Median),
		})
	}
	return t
}

func memory(r *measure.Result) float64 { return float64(r.Memory) / (1 << 20) }

func collect(results []measure.Result, f func(*measure.Result) float64) []float64 {
	values := make([]float64, len(results))
	for i := range results {
		values[i] = f(&results[i])
	}
	return values
}

// perPacket is the size of a file for each packet in it.
func perPacket(p *peer.Peer, results []measure.Result) string {
	if p.Format == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f", stats.Of(collect(results, (*measure.Result).BytesPerPacket)).Median)
}

// pairs are the ratios of two peers' costs, round by round.
func pairs(s *measure.Series, of, to string) []float64 {
	cost := func(r *measure.Result) float64 {
		if r.Fault != nil {
			return 0 // which gives no ratio
		}
		return r.Cost()
	}
	return stats.Ratios(collect(s.Results[of], cost), collect(s.Results[to], cost))
}

func ratio(s *measure.Series, of, to string) string { return spreadCell(pairs(s, of, to)) }

func number(v float64) string { return fmt.Sprintf("%.0f", v) }
