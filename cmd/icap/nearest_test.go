package main

import "testing"

func TestNearest(t *testing.T) {
	names := []string{"interface", "write", "output", "only", "ls", "pod"}
	for word, want := range map[string]string{
		"interface": "interface", "intreface": "interface", "interfac": "interface", "inter": "interface",
		"wirte": "write", "ouptut": "output", "onyl": "only", "l": "ls", "sl": "ls", "pods": "pod", "dop": "",
		"": "", "something": "", "tcp": "", "p": "",
	} {
		if got := nearest(word, names); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}
