package measure

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"icap/internal/lab"
	"icap/nsswitch"
)

// Names of the two ends of the veth pair.
const (
	sendName    = "send0"
	captureName = "cap0"
)

// A wire is two network namespaces joined by a veth pair. Nothing else is in
// them, so nothing but the load is on the wire.
type wire struct {
	send, capture *nsswitch.NS
	names         []string
}

// newWire also takes away what killed runs have left.
func newWire() (w *wire, err error) {
	if err := lab.CleanStale(); err != nil {
		return nil, err
	}
	w = new(wire)
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("make namespaces: %w", err), w.close())
			w = nil
		}
	}()
	if w.send, err = w.namespace("bench-send"); err != nil {
		return w, err
	}
	if w.capture, err = w.namespace("bench-capture"); err != nil {
		return w, err
	}
	return w, lab.Veth(w.send, sendName, w.capture, captureName)
}

func (w *wire) namespace(suffix string) (*nsswitch.NS, error) {
	ns, name, err := lab.NewOwned(suffix)
	if err != nil {
		return nil, err
	}
	w.names = append(w.names, name)
	return ns, ns.Do(silenceIPv6)
}

// silenceIPv6 keeps the namespace of the calling thread from announcing
// itself on interfaces that come up.
func silenceIPv6() error {
	for _, which := range []string{"all", "default"} {
		path := "/proc/sys/net/ipv6/conf/" + which + "/disable_ipv6"
		err := os.WriteFile(path, []byte("1"), 0)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (w *wire) close() error {
	var errs []error
	for _, ns := range []*nsswitch.NS{w.send, w.capture} {
		if ns != nil {
			errs = append(errs, ns.Close())
		}
	}
	for _, name := range w.names {
		errs = append(errs, lab.RemoveNamespace(name))
	}
	return errors.Join(errs...)
}
