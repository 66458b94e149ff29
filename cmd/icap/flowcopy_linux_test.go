package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"icap/internal/capfile"
	"icap/internal/lab"
	"icap/internal/lab/labtest"
)

// TestFlowIDs writes a capture with the numbers of flows, and has tshark find
// all legs of a flow by them.
func TestFlowIDs(t *testing.T) {
	l := labtest.New(t, lab.Config{Rules: lab.Today})
	begin, end := captureLab(t, l)
	begin()
	askAll(t, l)
	file, numbered := end(), temp(t, "numbered.pcapng")
	rows, err := csv.NewReader(strings.NewReader(output(t, "icap", "flows", "-r", file, "--pairs", "-w", numbered, "-o", "csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := func(row []string, name string) string { return row[slices.Index(rows[0], name)] }
	if len(rows) != 1+4 {
		t.Errorf("%d pairs", len(rows)-1)
	}
	for _, row := range rows[1:] {
		filter := fmt.Sprintf(`frame.comment contains "[flow %s]"`, column(row, "flow"))
		got := make(map[string]int)
		for line := range strings.Lines(output(t, "tshark", "-r", numbered, "-Y", filter, "-T", "fields", "-e", "frame.interface_name", "-e", "tcp.port")) {
			name, _, _ := strings.Cut(line, "@")
			_, leg, _ := strings.Cut(name, ":")
			got[leg]++
		}
		want := make(map[string]int)
		for _, side := range []string{"accepted", "made"} {
			up, _ := strconv.Atoi(column(row, side+"UpPackets"))
			down, _ := strconv.Atoi(column(row, side+"DownPackets"))
			want[column(row, side+"Leg")] = up + down
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", filter, got, want)
		}
		sure := column(row, "sure")
		if sure == "likely" {
			likelihood, _ := strconv.ParseFloat(column(row, "likelihood"), 64)
			sure = fmt.Sprintf("likely %.2f", likelihood)
		}
		made := output(t, "tshark", "-r", numbered, "-Y", filter+" && frame.interface_name contains \""+column(row, "madeLeg")+"\"", "-T", "fields", "-e", "frame.comment")
		if first, _, _ := strings.Cut(made, "\n"); first != "icap: [flow "+column(row, "flow")+"] "+sure {
			t.Errorf("comment %q of %v", first, row)
		}
	}
	checkCopied(t, file, numbered)
}

// checkCopied sees that nothing was done to blocks but that something was put
// into them once.
func checkCopied(t *testing.T, before, after string) {
	t.Helper()
	a, b := readBlocks(t, before), readBlocks(t, after)
	if len(a) != len(b) {
		t.Fatalf("%d blocks, and %d", len(a), len(b))
	}
	for i := range a {
		ahead, behind := 0, 0
		for short := min(len(a[i]), len(b[i])); ahead < short && a[i][ahead] == b[i][ahead]; ahead++ {
		}
		for ; behind < len(a[i])-ahead && a[i][len(a[i])-1-behind] == b[i][len(b[i])-1-behind]; behind++ {
		}
		if ahead+behind < len(a[i]) {
			t.Fatalf("block %d:\n%x\n%x", i, a[i], b[i])
		}
	}
}

func readBlocks(t *testing.T, file string) (all [][]byte) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := capfile.NewReader(f)
	for err == nil {
		var b *capfile.Block
		if b, err = r.Next(); err == nil {
			all = append(all, unmeasured(b))
		}
	}
	if err != io.EOF {
		t.Fatal(err)
	}
	return all
}

// unmeasured is what is in a block, without the lengths.
func unmeasured(b *capfile.Block) []byte {
	inner := bytes.Clone(b.Raw[8 : len(b.Raw)-4])
	if b.Type == capfile.TypeSection {
		copy(inner[8:], make([]byte, 8))
	}
	// Where there were no options there is no end of them.
	return bytes.TrimSuffix(inner, []byte{0, 0, 0, 0})
}
