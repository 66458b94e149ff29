package measure

import (
	"errors"
	"fmt"

	"icap/internal/lab"
	"icap/nsswitch"
)

// A crowd is a namespace with many interfaces on which nothing happens.
type crowd struct {
	ns   *nsswitch.NS
	name string
	size int // interfaces, lo being one of them
}

// newCrowd makes so many interfaces besides lo, or one more: they come in
// pairs.
func newCrowd(many int) (c *crowd, err error) {
	pairs := (many + 1) / 2
	c = &crowd{size: 2*pairs + 1}
	if c.ns, c.name, err = lab.NewOwned("bench-many"); err != nil {
		return nil, err
	}
	if err := c.ns.Do(silenceIPv6); err != nil {
		return nil, errors.Join(err, c.close())
	}
	for i := range pairs {
		a, b := fmt.Sprintf("idle%da", i), fmt.Sprintf("idle%db", i)
		if err := lab.Veth(c.ns, a, c.ns, b); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return c, nil
}

func (c *crowd) close() error {
	return errors.Join(c.ns.Close(), lab.RemoveNamespace(c.name))
}
