package measure

import (
	"context"
	"time"

	"icap/bench/internal/load"
	"icap/bench/internal/peer"
	"icap/bench/internal/stats"
)

// tolerated is which part may be lost of what counts as lossless: less than
// 0.01 %.
const tolerated = 0.0001

// Search finds the highest rate at which a peer loses less than 0.01 %, in
// steps trials after the first one, which is as fast as possible. Each takes
// as long as it takes to send so long at its rate.
func (b *Bench) Search(ctx context.Context, p *peer.Peer, sizes []int, steps int, long time.Duration) (float64, error) {
	return stats.Highest(tolerated, steps, func(rate int) (stats.Trial, error) {
		r, _, err := b.run(ctx, p, Job{Load: trial(sizes, rate, long)})
		return stats.Trial{Rate: r.Rate, Loss: r.Loss()}, err
	})
}

// trial is a load that takes so long. How many that are, as fast as possible,
// is a guess.
func trial(sizes []int, rate int, long time.Duration) load.Load {
	const guess, least = 1_200_000, 1000
	count := float64(rate)
	if rate == 0 {
		count = guess
	}
	return load.Load{Sizes: sizes, Rate: rate, Count: max(int(count*long.Seconds()), least)}
}
