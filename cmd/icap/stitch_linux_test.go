package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"icap/internal/lab"
	"icap/internal/lab/labtest"
)

// TestStitch follows the app's outbound connections in captures of a lab, by
// icap and by tcpdump, with tshark.
func TestStitch(t *testing.T) {
	for _, rules := range []lab.Rules{lab.Today, lab.Article} {
		t.Run(rules.String(), func(t *testing.T) {
			t.Parallel()
			l := labtest.New(t, lab.Config{Rules: rules})
			dir := t.TempDir()
			peer := tcpdump(t, l.App.NS, dir+"/old.pcap", "-i", "lo", "tcp")
			// tcpdump says that it listens before it does.
			askAll(t, l)
			awaitQuiet(t, dir)
			p := start(t, nil, "eth0@", icap(t, "pod", "netns:"+l.App.Netns, "-w", dir+"/new.pcapng"))
			live := start(t, nil, "eth0@", icap(t, "pod", "netns:"+l.App.Netns, "--stitch", "-w", dir+"/live.pcapng"))
			noted := start(t, nil, "eth0@", icap(t, "pod", "netns:"+l.App.Netns, "--stitch", "--annotate", "--checksums", "-C", "1m", "-w", dir+"/noted.pcapng"))
			const connections = 10
			for i := range connections {
				if x, err := l.OutboundMesh(t.Context(), fmt.Sprintf("/stitched/%d", i)); err != nil || x.Status != 200 {
					t.Fatalf("%+v, %v", x, err)
				}
			}
			awaitQuiet(t, dir)
			if code := p.end(syscall.SIGTERM); code != exitDone {
				t.Fatalf("exit code %d\n%s", code, p.text())
			}
			if code := live.end(syscall.SIGTERM); code != exitDone {
				t.Fatalf("exit code %d\n%s", code, live.text())
			}
			if code := noted.end(syscall.SIGTERM); code != exitDone {
				t.Fatalf("exit code %d\n%s", code, noted.text())
			}
			peer.end(syscall.SIGINT)
			checkNoted(t, dir+"/noted.pcapng")
			told, err := icap(t, "stitch", "--annotate", "--checksums", dir+"/new.pcapng", dir+"/noted-later.pcapng").CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, told)
			}
			checkNoted(t, dir+"/noted-later.pcapng")
			if n := followed(t, dir+"/live.pcapng"); n != connections {
				t.Errorf("live: %d of %d connections can be followed", n, connections)
			}
			info := output(t, "capinfos", dir+"/live.pcapng")
			if !strings.Contains(info, "stitched: ") || !strings.Contains(info, "Strict time order:   True") {
				t.Errorf("live:\n%s", info)
			}
			for _, file := range []string{"/old.pcap", "/new.pcapng"} {
				if n := followed(t, dir+file); n != 0 {
					t.Errorf("%s: %d connections can be followed before they are stitched", file, n)
				}
				out := dir + file + ".stitched.pcapng"
				told, err := icap(t, "stitch", "--checksums", dir+file, out).CombinedOutput()
				if n := followed(t, out); err != nil || n != connections {
					t.Errorf("%s: %d of %d connections can be followed, %v\n%s", file, n, connections, err, told)
				}
				if bad := output(t, "tshark", "-r", out, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE",
					"-Y", "tcp.checksum.status == Bad || ip.checksum.status == Bad"); bad != "" {
					t.Errorf("%s: bad checksums:\n%s", file, bad)
				}
			}
		})
	}
}

// checkNoted has tshark read a file whose packets have only comments, and
// checksums that are right.
func checkNoted(t *testing.T, file string) {
	t.Helper()
	checkSums(t, file, "")
	notes := output(t, "tshark", "-r", file, "-Y", "frame.comment", "-T", "fields", "-e", "ip.dst", "-e", "tcp.dstport", "-e", "frame.comment")
	if notes == "" {
		t.Errorf("%s: %q", file, notes)
	}
	for line := range strings.Lines(notes) {
		if !strings.HasPrefix(line, "127.0.0.1\t15001\ticap: redirected from 10.") {
			t.Errorf("%s: %s", file, line)
		}
	}
	if n := followed(t, file); n != 0 {
		t.Errorf("%s: %d connections can be followed", file, n)
	}
}

// followed counts the conversations of a file in which a request to /stitched
// and its answer can be read.
func followed(t *testing.T, file string) (n int) {
	t.Helper()
	streams := strings.Fields(output(t, "tshark", "-r", file, "-T", "fields", "-e", "tcp.stream",
		"-Y", `http.request.uri contains "/stitched/"`))
	if len(streams) == 0 {
		t.Errorf("%s has no requests", file)
	}
	args := []string{"-r", file, "-q"}
	for _, stream := range streams {
		args = append(args, "-z", "follow,tcp,ascii,"+stream)
	}
	for text := range strings.SplitSeq(output(t, "tshark", args...), "Follow: tcp,ascii") {
		if strings.Contains(text, "GET /stitched/") && strings.Contains(text, "HTTP/1.1 200 OK") {
			n++
		}
	}
	return n
}

// TestStitchRefusals leaves nothing behind.
func TestStitchRefusals(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		if err := os.WriteFile(dir+"/"+name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return dir + "/" + name
	}
	text := write("text", "no capture at all")
	capture := write("capture", "\xd4\xc3\xb2\xa1\x02\x00\x04\x00"+strings.Repeat("\x00", 16))
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{text}, "the file to read and the file to write"},
		{[]string{capture, capture, "--force"}, "is both read and written"},
		{[]string{dir + "/none", dir + "/out"}, "no such file"},
		{[]string{capture, write("taken", "")}, "exists"},
		{[]string{"--conntrack", dir + "/none", capture, dir + "/out"}, "no such file"},
		{[]string{"--conntrack", text, capture, dir + "/out"}, "no connections as conntrack -L or -E prints them"},
		{[]string{"--conntrack", write("list", "tcp src=x"), capture, dir + "/out"}, "list: line 1: ParseAddr"},
		{[]string{text, dir + "/out"}, "neither pcapng nor pcap"},
		{[]string{write("empty", ""), dir + "/out2"}, "the file is empty"},
	} {
		out, err := icap(t, append([]string{"stitch"}, test.args...)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), test.want) {
			t.Errorf("%v: no %q in %v\n%s", test.args, test.want, err, out)
		}
	}
	for _, name := range []string{"/out", "/out2"} {
		if _, err := os.Stat(dir + name); err == nil {
			t.Errorf("%s was left behind", name)
		}
	}
}
