package report

import (
	"fmt"
	"slices"

	"icap/bench/internal/load"
	"icap/bench/internal/measure"
	"icap/bench/internal/peer"
	"icap/bench/internal/stats"
)

// A target is what icap has to reach, and what the run has to say to that.
type target struct {
	what  string
	limit float64 // at most
	far   float64 // what would be better still; equal to limit if nothing
	// worst takes the highest of the rounds in place of the median, for what
	// may never be, so that one round is enough to tell.
	worst bool
	// measure gives the values of the rounds; none if that was not measured.
	measure func(o *measure.Outcome) []float64
}

// cost is the CPU time for a packet, paired with another program's.
func cost(of, to, mix string, rate int, disk bool, limit, far float64) target {
	where := measure.Job{Disk: disk}.Target()
	return target{
		what:  fmt.Sprintf("%s, %s, %s: CPU/packet to %s", of, mix, where, to),
		limit: limit, far: far,
		measure: func(o *measure.Outcome) []float64 {
			if s := o.Find(mix, rate, disk); s != nil {
				return pairs(s, of, to)
			}
			return nil
		},
	}
}

// lost is the percentage of packets that is lost on tmpfs.
func lost(of string, l load.Load, limit, far float64) target {
	name := l.Mix() + ", as fast as possible"
	if l.Rate > 0 {
		name = fmt.Sprintf("%s, %d kpps", l.Mix(), l.Rate/1000)
	}
	return target{
		what:  fmt.Sprintf("%s, %s, tmpfs: lost %%", of, name),
		limit: limit, far: far, worst: true,
		measure: func(o *measure.Outcome) []float64 {
			s := o.Find(l.Mix(), l.Rate, false)
			if s == nil {
				return nil
			}
			// At a lower rate it is no feat to lose nothing.
			kept := slices.DeleteFunc(s.Good(of), func(r measure.Result) bool { return !s.Kept(&r) })
			return collect(kept, func(r *measure.Result) float64 { return 100 * r.Loss() })
		},
	}
}

// lessThanTcpdump is how many percent more icap loses than tcpdump.
func lessThanTcpdump() target {
	return target{
		what:  fmt.Sprintf("%s, 256 B, as fast as possible, tmpfs: lost %% beyond %s's", peer.Icap, peer.Tcpdump),
		worst: true,
		measure: func(o *measure.Outcome) (more []float64) {
			s := o.Find("256 B", 0, false)
			if s == nil {
				return nil
			}
			icap, other := s.Good(peer.Icap), s.Good(peer.Tcpdump)
			for i := range min(len(icap), len(other)) {
				more = append(more, max(0, 100*(icap[i].Loss()-other[i].Loss())))
			}
			return more
		},
	}
}

// packed is how large direct files of small packets are against copied ones.
func packed() target {
	return target{
		what:  fmt.Sprintf("%s, 64 B, disk: file size to %s's", peer.Direct, peer.Icap),
		limit: 1.15, far: 1.15,
		measure: func(o *measure.Outcome) []float64 {
			s := o.Find("64 B", rate64, true)
			if s == nil {
				return nil
			}
			return stats.Ratios(
				collect(s.Good(peer.Direct), (*measure.Result).BytesPerPacket),
				collect(s.Good(peer.Icap), (*measure.Result).BytesPerPacket))
		},
	}
}

// binary is the size of icap's program.
func binary() target {
	return target{
		what:  peer.Icap + ": size of the static binary, MB",
		limit: 10, far: 10, worst: true,
		measure: func(o *measure.Outcome) []float64 {
			if size, ok := o.Binary[peer.Icap]; ok {
				return []float64{float64(size) / 1e6}
			}
			return nil
		},
	}
}

// overhead is the memory besides the ring, the most of all fixed loads.
func overhead(of string) target {
	return target{
		what:  of + ": RSS above the ring, MiB",
		limit: 12, far: 6, worst: true,
		measure: func(o *measure.Outcome) (most []float64) {
			for _, mix := range []struct {
				name string
				rate int
			}{{"64 B", rate64}, {"256 B", rate256}, {"1500 B", rate1500}, {"IMIX", rateIMIX}} {
				if s := o.Find(mix.name, mix.rate, false); s != nil {
					for _, m := range collect(s.Good(of), memory) {
						most = append(most, m-peer.RingMiB)
					}
				}
			}
			return most
		},
	}
}

func collections(of string) target {
	return target{
		what:  of + ": collections of garbage under load",
		worst: true,
		measure: func(o *measure.Outcome) []float64 {
			if g, ok := o.Garbage[of]; ok {
				return []float64{float64(g.Normal)}
			}
			return nil
		},
	}
}

func waiting(of string, many bool, limit, far float64) target {
	name := "one interface"
	if many {
		name = "100 interfaces"
	}
	return target{
		what:  fmt.Sprintf("%s, waiting on %s: CPU ms/s", of, name),
		limit: limit, far: far,
		measure: func(o *measure.Outcome) []float64 {
			const enough = 100
			switch {
			case !many:
				return idleCPU(o.Alone[of])
			case o.Many >= enough:
				return idleCPU(o.Crowd[of])
			}
			return nil
		},
	}
}

func starting(of string) target {
	return target{
		what:  fmt.Sprintf("%s: exec to first packet, to %s", of, peer.Tcpdump),
		limit: 1.5, far: 1.1,
		measure: func(o *measure.Outcome) []float64 {
			return stats.Ratios(o.Starts[of], o.Starts[peer.Tcpdump])
		},
	}
}
