package main

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"icap/afpacket"
	"icap/bpfc"
)

// orders are some of each kind.
func orders(t testing.TB) (all []order) {
	t.Helper()
	for what := range tasks {
		all = append(all, order{what: what, place: 1 << 30, target: 65535, number: 1 << 63, agents: what == taskOpener})
	}
	filter, err := bpfc.Compile("tcp port 80", bpfc.Ethernet, 262144)
	if err != nil {
		t.Fatal(err)
	}
	all[taskSocket].socket = afpacket.Config{
		Interface: "eth0", Filter: filter, Snaplen: 100, Direction: afpacket.Out, Lock: true, Group: new(afpacket.Group),
		Marks: []afpacket.Mark{{Value: 1, Mask: 2}}, NotMarks: []afpacket.Mark{{Value: 3, Mask: 4}, {Value: 5, Mask: 6}},
	}
	return all
}

func TestOrder(t *testing.T) {
	for _, want := range orders(t) {
		got, err := parseOrder(want.append(nil))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	}
	longest := order{what: taskSocket, socket: afpacket.Config{
		Interface: strings.Repeat("x", linkLen-1), Filter: slices.Grow(orders(t)[taskSocket].socket.Filter, maxFilter)[:maxFilter], Marks: make([]afpacket.Mark, maxMarks), NotMarks: make([]afpacket.Mark, maxMarks),
	}}
	if got, err := parseOrder(longest.append(nil)); err != nil || len(got.socket.Filter) != maxFilter {
		t.Errorf("the longest order: %v", err)
	}
	longest.socket.Filter = append(longest.socket.Filter, longest.socket.Filter[0])
	if _, err := parseOrder(longest.append(nil)); !errors.Is(err, errOrder) {
		t.Errorf("an order that is too long: %v", err)
	}
	for _, name := range []string{"", "a/b", "a\x00b", strings.Repeat("x", linkLen)} {
		o := order{what: taskSocket, socket: afpacket.Config{Interface: name}}
		if _, err := parseOrder(o.append(nil)); !errors.Is(err, errOrder) {
			t.Errorf("interface %q: %v", name, err)
		}
	}
}

// FuzzOrder: what is taken for an order is one, byte by byte, and names an
// interface and a filter that can be.
func FuzzOrder(f *testing.F) {
	for _, o := range orders(f) {
		f.Add(o.append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := parseOrder(b)
		if err != nil {
			return
		}
		if again := o.append(nil); !bytes.Equal(again, b) {
			t.Errorf("%x becomes %x", b, again)
		}
		if c := o.socket; len(c.Filter) > maxFilter || len(c.Interface) >= linkLen || c.Snaplen > afpacket.MaxSnaplen || c.Direction > afpacket.Out {
			t.Errorf("%+v", c)
		}
	})
}

// TestAttendantKnows: there is nothing to be had of a target or a place that the
// helper was not given.
func TestAttendantKnows(t *testing.T) {
	a := &attendant{places: map[uint32]*attended{}}
	for _, o := range orders(t)[taskBegin+1:] {
		if _, err := a.serve(t.Context(), o.append(nil)); !errors.Is(err, errUnknownOrder) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
