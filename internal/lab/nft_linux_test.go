package lab

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/nftables"
)

// TestNFTListing lets nft(8) read what the translator has written: options
// that Istio's plainest rules do not use, in the words of somebody else.
func TestNFTListing(t *testing.T) {
	if os.Getuid() != 0 {
		skip(t, "needs root")
	}
	if _, err := exec.LookPath("nft"); err != nil {
		skip(t, "needs the program nft")
	}
	for name, c := range map[string]struct {
		family nftables.TableFamily
		rules  map[string]string
	}{
		"ip": {nftables.TableFamilyIPv4, map[string]string{
			"-s 10.96.0.0/12 -j RETURN":                    "ip saddr 10.96.0.0/12 counter return",
			"! -d 127.0.0.1/32 -j ACCEPT":                  "ip daddr != 127.0.0.1 counter accept",
			"-i eth1 -j DROP":                              "iifname \"eth1\" counter drop",
			"! -o lo -j A":                                 "oifname != \"lo\" counter jump A",
			"-p udp -m udp --sport 53 -j A":                "udp sport 53 counter jump A",
			"-p tcp -m tcp ! --dport 15008 -j A":           "tcp dport != 15008 counter jump A",
			"! -p tcp -j RETURN":                           "meta l4proto != tcp counter return",
			"-m owner --uid-owner 201507 -j RETURN":        "meta skuid 201507 counter return",
			"-m owner ! --gid-owner 1337 -j RETURN":        "meta skgid != 1337 counter return",
			"-p tcp -j REDIRECT --to-ports 15001":          "meta l4proto tcp counter redirect to :15001",
			"-d 10.0.0.0/8 -p tcp -m tcp --dport 443 -j A": "ip daddr 10.0.0.0/8 tcp dport 443 counter jump A",
		}},
		"ip6": {nftables.TableFamilyIPv6, map[string]string{
			"-s ::6/128 -o lo -j RETURN": "ip6 saddr ::6 oifname \"lo\" counter return",
			"! -d fd00::/9 -j RETURN":    "ip6 daddr != fd00::/9 counter return",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			ns, file, err := newOwned("nft")
			if err != nil {
				t.Fatal(err)
			}
			defer removeNamespace(file)
			defer ns.Close()
			text := "*nat\n:OUTPUT ACCEPT\n:A -\n"
			for rule := range c.rules {
				text += "-A OUTPUT " + rule + "\n"
			}
			table, err := parseRestore(text)
			if err != nil {
				t.Fatal(err)
			}
			if err := applyNFT(ns, c.family, table); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			cmd := exec.Command("nft", "--stateless", "--numeric-priority", "list", "ruleset")
			cmd.Stdout = &out
			if err := ns.Do(cmd.Start); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(out.String(), "type nat hook output priority -100; policy accept;") {
				t.Error("no hook of OUTPUT")
			}
			for rule, want := range c.rules {
				if !strings.Contains(out.String(), "\t"+want+"\n") {
					t.Errorf("%s: want %s", rule, want)
				}
			}
			if t.Failed() {
				t.Log(out.String())
			}
		})
	}
}

// skip does what labtest.Skip does for tests that labtest would import.
func skip(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("ICAP_TEST_ROOT") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func TestTranslateRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"table":  {"*mangle", "only nat"},
		"policy": {"*nat\n:OUTPUT DROP", "policy DROP"},
		"hook":   {"*nat\n:FORWARD ACCEPT", "not a hook"},
		"chain":  {"*nat\n-A A -j RETURN", "unknown chain A"},
		"target": {"*nat\n:A -\n-A A -j B", "unknown target B"},
		"other":  {"*nat\n:A -\n-A A -j LOG", "unknown target LOG"},
	} {
		table, err := parseRestore(c.text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		err = translate(&nftables.Conn{}, nftables.TableFamilyIPv4, table)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestFindProgram(t *testing.T) {
	if path, err := findProgram("no-such-program"); err == nil {
		t.Errorf("found %s", path)
	}
	if got := NFTables.choose(ruleSpec{}); got != NFTables {
		t.Errorf("got %v, want what was asked for", got)
	}
	if got := Auto.choose(ruleSpec{}); got == Auto {
		t.Error("Auto chose nothing")
	}
}
