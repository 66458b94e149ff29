package report

import (
	"icap/bench/internal/load"
	"icap/bench/internal/peer"
)

// Rates of the loads that targets are about, in packets a second.
const (
	rate64   = 500_000
	rate256  = 400_000
	rate1500 = 250_000
	rateIMIX = 300_000
	rateFull = 600_000 // of 1500 B, that may not lose anything
)

// targets lists all of them, in the order of the report.
func targets() []target {
	var all []target
	all = append(all,
		cost(peer.Direct, peer.Tcpdump, "1500 B", rate1500, true, 0.20, 0.10),
		cost(peer.Direct, peer.Tcpdump, "64 B", rate64, true, 0.35, 0.25),
	)
	for _, c := range []struct {
		mix              string
		rate             int
		tcpdump, dumpcap float64
	}{
		{"64 B", rate64, 0.65, 0.10},
		{"256 B", rate256, 0.75, 0.20},
		{"1500 B", rate1500, 0.85, 0.60},
		{"IMIX", rateIMIX, 0.75, 0.25},
	} {
		all = append(all,
			cost(peer.Icap, peer.Tcpdump, c.mix, c.rate, false, c.tcpdump, c.tcpdump),
			cost(peer.Icap, peer.Dumpcap, c.mix, c.rate, false, c.dumpcap, c.dumpcap),
			cost(peer.Icap, peer.Copy, c.mix, c.rate, false, 1.10, 1.05),
		)
	}
	for _, name := range []string{peer.Icap, peer.Direct} {
		all = append(all,
			lost(name, load.Load{Sizes: load.Uniform(64), Rate: rate64}, 0, 0),
			lost(name, load.Load{Sizes: load.Uniform(256), Rate: rate256}, 0, 0),
			lost(name, load.Load{Sizes: load.Uniform(1500), Rate: rateFull}, 0, 0),
			lost(name, load.Load{Sizes: load.Uniform(256)}, 0.1, 0),
			overhead(name), collections(name),
			waiting(name, false, 1, 0), starting(name),
		)
	}
	return append(all, waiting(peer.Icap, true, 10, 5), lessThanTcpdump(), packed(), binary())
}
