package main

import (
	"bytes"
	"os"
	"os/exec"
	"testing"

	"icap/internal/lab/labtest"
	"icap/internal/pods"
)

// BenchmarkLs500 lists 500 real processes in 20 namespaces with Istio's rules,
// beside whatever else runs on the machine.
func BenchmarkLs500(b *testing.B) {
	const namespaces, processes = 20, 500
	restore, err := exec.LookPath("iptables-restore")
	if err != nil {
		labtest.Skip(b, "needs iptables-restore")
	}
	rules, err := os.ReadFile("../../internal/lab/testdata/sidecar-redirect.rules")
	if err != nil {
		b.Fatal(err)
	}
	for range namespaces {
		ns := labtest.Namespace(b)
		cmd := exec.Command(restore, "-w", "5")
		cmd.Stdin = bytes.NewReader(rules)
		if err := ns.Do(cmd.Run); err != nil {
			b.Fatal(err)
		}
		for range processes / namespaces {
			sleeper := exec.Command("sleep", "infinity")
			if err := ns.Do(sleeper.Start); err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() {
				_ = sleeper.Process.Kill()
				_ = sleeper.Wait() // it was killed
			})
		}
	}
	var rows []lsRow
	for b.Loop() {
		if rows, err = listAll(pods.Scanner{}); err != nil || len(rows) < namespaces {
			b.Fatalf("%d rows, %v", len(rows), err)
		}
	}
	b.ReportMetric(float64(len(rows)), "namespaces")
}
