package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/netip"
	"strings"
	"testing"

	"icap/internal/pods"
)

// meshRow is a row with all there can be.
func meshRow(i int, name string) lsRow {
	return lsRow{
		Target: "shop/" + name, PID: 4194304, Inode: 4026532000 + uint64(i), Role: "sidecar", Mode: "REDIRECT",
		ProxyUIDs: []uint32{1337}, ProxyPorts: []uint16{15000, 15001, 15004, 15006, 15020}, AppPorts: []uint16{8080, 9090, 9091, 9092},
		addrs: []netip.Addr{netip.MustParseAddr("10.244.111.222"), netip.MustParseAddr("fd00:10:244::11")},
		Interfaces: []lsInterface{
			{"lo", []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8")}},
			{"eth0", []netip.Prefix{netip.MustParsePrefix("10.244.111.222/24"), netip.MustParsePrefix("fd00:10:244::11/64")}},
		},
	}
}

// TestTableFits leaves out columns until the table fits, and says which.
func TestTableFits(t *testing.T) {
	for name, want := range map[string]struct {
		heads string
		told  string
	}{
		"web":                               {"TARGET PID NETNS ROLE MODE UID APP ADDRESS", "PROXY"},
		"productpage-v1":                    {"TARGET PID NETNS ROLE MODE APP ADDRESS", "PROXY, UID"},
		"productpage-v1-84d7c6b9-xk2p9":     {"TARGET PID NETNS ROLE MODE ADDRESS", "PROXY, UID, APP"},
		strings.Repeat("long-", 8) + "name": {"TARGET PID NETNS ROLE ADDRESS", "PROXY, UID, APP, MODE"},
	} {
		var out, errs bytes.Buffer
		if err := printTable(&out, &errs, []lsRow{meshRow(1, name), {Target: "host", Role: "plain"}}); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if got := strings.Join(strings.Fields(lines[0]), " "); got != want.heads {
			t.Errorf("%s: columns %s, want %s", name, got, want.heads)
		}
		if told := strings.Contains(errs.String(), "no room for "+want.told+":"); told != (want.told != "") {
			t.Errorf("%s: %s", name, errs.String())
		}
		for _, l := range lines {
			if len(l) > tableWidth || len(strings.Fields(l)) != len(strings.Fields(lines[0])) {
				t.Errorf("%d columns, %d fields: %s", len(l), len(strings.Fields(l)), l)
			}
		}
	}
}

// TestTableWhole has room for all columns.
func TestTableWhole(t *testing.T) {
	var out, errs bytes.Buffer
	r := meshRow(1, "web")
	r.PID, r.ProxyPorts, r.AppPorts = 4711, []uint16{15001, 15006}, r.AppPorts[:1]
	if err := printTable(&out, &errs, []lsRow{r}); err != nil {
		t.Fatal(err)
	}
	want := "TARGET    PID   NETNS       ROLE     MODE      UID   PROXY        APP   ADDRESS\n" +
		"shop/web  4711  4026532001  sidecar  REDIRECT  1337  15001,15006  8080  10.244.111.222,+1\n"
	if out.String() != want || errs.Len() > 0 {
		t.Errorf("got\n%swant\n%s%s", out.String(), want, errs.String())
	}
}

// TestTableCuts cuts what no choice of columns makes fit.
func TestTableCuts(t *testing.T) {
	var out bytes.Buffer
	if err := printTable(&out, &out, []lsRow{meshRow(1, strings.Repeat("x", 150))}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if len(line) > tableWidth+1 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
}

func TestWide(t *testing.T) {
	var out bytes.Buffer
	if err := printWide(&out, &out, []lsRow{meshRow(1, "web")}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"15000,15001,15004,15006,15020", "8080,9090,9091,9092", "eth0=10.244.111.222/24,fd00:10:244::11/64"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in\n%s", want, out.String())
		}
	}
}

// TestReasonsOnce tells a reason once for all that share it.
func TestReasonsOnce(t *testing.T) {
	var out bytes.Buffer
	rows := make([]lsRow, 4)
	for i := range 3 {
		rows[i].unread = fmt.Errorf("enter pid:%d: setns: %w (needs CAP_SYS_ADMIN)", i, fs.ErrPermission)
	}
	tellUnread(&out, rows)
	want := "icap: shown without interfaces, mode and ports: 3 of 4 namespaces: permission denied (needs CAP_SYS_ADMIN)\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

// TestTarget names each namespace by what finds it again.
func TestTarget(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	outside, inside := []pods.Process{{PID: 7}}, []pods.Process{{PID: 7, ContainerID: id}}
	for want, p := range map[string]pods.Pod{
		"shop/web":               {Namespace: "shop", Name: "web", UID: "u", Inode: 1, Processes: inside},
		"web":                    {Name: "web", UID: "u", Inode: 1, Netns: "cni-1", Processes: inside},
		"host":                   {Host: true, Inode: 1, Netns: "h", Processes: outside},
		"shop/node-agent":        {Namespace: "shop", Name: "node-agent", UID: "u", Host: true, Inode: 1, Processes: inside},
		"netns:blue":             {Inode: 1, Netns: "blue"},
		"container:0123456789ab": {Inode: 1, Processes: inside},
		"inode:1":                {Inode: 1, Processes: outside},
		"inode:2":                {UID: "u", Inode: 2, Netns: "cni-2", Processes: inside},
		"pid:7":                  {UID: "u", Processes: inside},
	} {
		got := target(&p)
		if _, err := pods.ParseTarget(got); got != want || err != nil {
			t.Errorf("%+v: %s, %v, want %s", p, got, err, want)
		}
	}
}
