package lab

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
)

// busyRounds is how often the busy case makes each of its requests.
const busyRounds = 6

// busyCase makes requests of different kinds all at once.
func (l *Lab) busyCase() Case {
	app := netip.AddrPortFrom(l.App.Addr, uint16(l.AppPort))
	kinds := []struct {
		from func(*Lab) *process
		Request
		legs []string
	}{
		{byClient, l.secure(Request{To: app}), l.secureLegs()},
		{byClient, Request{To: app}, l.inLegs(l.AppPort)},
		{byApp, Request{To: l.Service}, l.meshLegs()},
		{byApp, Request{To: l.Outside}, l.outLegs(l.Outside)},
		{byApp, Request{To: app}, []string{LegSelf}},
	}
	c := Case{Name: "busy", service: true}
	for _, k := range kinds {
		for range busyRounds {
			c.Legs = slices.Concat(c.Legs, k.legs)
		}
	}
	c.do = func(ctx context.Context, l *Lab, begin func() error) ([]Exchange, error) {
		if err := begin(); err != nil {
			return nil, err
		}
		var (
			wg   sync.WaitGroup
			done = make([]Exchange, len(kinds)*busyRounds)
			errs = make([]error, len(done))
		)
		for i := range done {
			k := kinds[i%len(kinds)]
			k.Path = casePath
			wg.Go(func() { done[i], errs[i] = k.from(l).call(ctx, command{Request: k.Request}) })
		}
		wg.Wait()
		for _, x := range done {
			if x.Err != "" {
				errs = append(errs, errors.New(x.Err))
			}
		}
		return done, errors.Join(errs...)
	}
	return c
}
