package bpfc

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// BenchmarkTable compares compile time and program size with libpcap's, and
// prints the table of README.md. It takes about a minute, most of it libpcap's.
func BenchmarkTable(b *testing.B) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		b.Skip("missing: tcpdump")
	}
	rows := []struct{ name, expr string }{
		{"`ip`", "ip"},
		{"`tcp port 80`", "tcp port 80"},
		{"`host 10.0.0.1 and tcp port 80 or udp port 53`",
			"host 10.0.0.1 and tcp port 80 or udp port 53"},
		{"`not (net 10.0.0.0/8 or net 172.16.0.0/12 or net 192.168.0.0/16)`",
			"not (net 10.0.0.0/8 or net 172.16.0.0/12 or net 192.168.0.0/16)"},
		{"10 × `port`", sets(10)["port"]},
		{"50 × `host`", sets(50)["host"]},
		{"50 × `net`, /24", sets(50)["net"]},
		{"250 × `port`", sets(250)["port"]},
		{"250 × `net`, /24", sets(250)["net"]},
		{"400 × `src host`", sets(400)["src host"]},
		{"1,000 × `host`", sets(1000)["host"]},
		{"1,500 × `tcp dst port`", sets(1500)["dst port"]},
	}
	start := tcpdumpTime(b, "")
	var out strings.Builder
	out.WriteString("| filter | bpfc | instructions | libpcap | instructions |\n")
	out.WriteString("|---|---:|---:|---:|---:|\n")
	for _, r := range rows {
		p, took := compileTime(b, r.expr)
		size, theirTime := "none", "refused"
		if theirs, err := tcpdump(r.expr, true); err == nil {
			size = fmt.Sprint(len(theirs.Insns))
			theirTime = "< 1 ms"
			if d := tcpdumpTime(b, r.expr) - start; d > time.Millisecond {
				theirTime = round(d)
			}
		}
		fmt.Fprintf(&out, "| %s | %s | %d | %s | %s |\n",
			r.name, round(took), len(p.Insns), theirTime, size)
	}
	b.Logf("\n%s", out.String())
}

// compileTime returns a program, and the least time that it takes to compile.
func compileTime(b *testing.B, expr string) (p *Program, least time.Duration) {
	b.Helper()
	least = time.Hour
	for began := time.Now(); time.Since(began) < 300*time.Millisecond; {
		start := time.Now()
		var err error
		if p, err = CompileOptions(expr, Ethernet, Options{}); err != nil {
			b.Fatalf("%.50s: %v", expr, err)
		}
		least = min(least, time.Since(start))
	}
	return p, least
}

// tcpdumpTime returns the least time of a few in which tcpdump starts and
// compiles.
func tcpdumpTime(b *testing.B, expr string) time.Duration {
	b.Helper()
	least := time.Hour
	for n := 0; n < 5 && (n == 0 || least < time.Second); n++ {
		start := time.Now()
		cmd := exec.Command("tcpdump", "-y", "EN10MB", "-ddd", "--", expr)
		if err := cmd.Run(); err != nil {
			b.Fatalf("%.50s: %v", expr, err)
		}
		least = min(least, time.Since(start))
	}
	return least
}

// round returns a duration with two or three digits.
func round(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%.0f µs", d.Seconds()*1e6)
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", d.Seconds()*1e3)
	case d < time.Second:
		return fmt.Sprintf("%.0f ms", d.Seconds()*1e3)
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
