package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	tests := []struct {
		args []string
		want string // the first line, or part of the error
		ok   bool
	}{
		{[]string{"-dlt", "EN10MB", "--", "tcp", "port", "80"}, "20", true},
		{[]string{"-dlt", "276", "--", "inbound"}, "4", true},
		{[]string{"--", ""}, "1", true},
		{[]string{"-netmask", "255.255.255.0", "--", "ip broadcast"}, "8", true},
		{[]string{"-netmask", "0xffffff00", "--", "ip broadcast"}, "8", true},
		{[]string{"-live", "--", "ifindex 3"}, "4", true},
		{[]string{"--", "ifindex 3"}, "live packets", false},
		{[]string{"--", "tcp prot 80"}, "    ^~~~", false},
		{[]string{"-netmask", "x", "--", "ip"}, "x", false},
		{[]string{"-dlt", "WIFI", "--", "ip"}, "WIFI", false},
		{[]string{"-dlt", "147", "--", "ip"}, "LINKTYPE_147", false},
	}
	for _, tt := range tests {
		var out strings.Builder
		err := run(tt.args, &out)
		if tt.ok {
			if first, _, _ := strings.Cut(out.String(), "\n"); err != nil || first != tt.want {
				t.Errorf("%q: got %q, %v, want %q", tt.args, first, err, tt.want)
			}
		} else if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got %v, want %q", tt.args, err, tt.want)
		}
	}
}
