package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/google/nftables"

	"icap/nsswitch"
)

// choose replaces Auto by what the machine has and the rules need.
func (a Apply) choose(s ruleSpec) Apply {
	if a != Auto {
		return a
	}
	if s.native {
		return NFT
	}
	if _, err := findProgram("iptables-restore"); err != nil {
		return NFTables
	}
	return IPTables
}

// apply brings the rules into a namespace.
func apply(ctx context.Context, ns *nsswitch.NS, s ruleSpec, a Apply) error {
	if err := s.allows(a); err != nil {
		return err
	}
	if err := addRoutes(ns, s); err != nil {
		return err
	}
	if s.native {
		return feed(ctx, ns, s.script(), "nft", "-f", "-")
	}
	v4, v6 := s.texts()
	if err := applyText(ctx, ns, nftables.TableFamilyIPv4, v4, a); err != nil {
		return err
	}
	if v6 == "" {
		return nil
	}
	return applyText(ctx, ns, nftables.TableFamilyIPv6, v6, a)
}

func applyText(ctx context.Context, ns *nsswitch.NS, f nftables.TableFamily, text string, a Apply) error {
	program := "iptables"
	if f == nftables.TableFamilyIPv6 {
		program = "ip6tables"
	}
	switch a {
	case IPTables:
		return feed(ctx, ns, text, program+"-restore", waitLock...)
	case IPTablesLegacy:
		return feed(ctx, ns, text, program+"-legacy-restore", waitLock...)
	case NFTables:
		t, err := parseRestore(text)
		if err != nil {
			return err
		}
		return applyNFT(ns, f, t)
	}
	return fmt.Errorf("no such way to apply rules: %v", a)
}

// waitLock lets the legacy programs wait for their lock, which all namespaces
// share.
var waitLock = []string{"-w", "5"}

// feed gives a program a text inside the namespace.
func feed(ctx context.Context, ns *nsswitch.NS, text, program string, args ...string) error {
	path, err := findProgram(program)
	if err != nil {
		return err
	}
	var stderr strings.Builder
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin = strings.NewReader(text)
	cmd.Stderr = &stderr
	if err := ns.Do(cmd.Start); err != nil {
		return fmt.Errorf("start %s in %s: %w", program, ns, err)
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%s in %s: %w: %s", program, ns, err, strings.TrimSpace(stderr.String()))
	}
	return nil
}

// findProgram looks in PATH and in the directories that PATH often lacks.
func findProgram(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin/", "/sbin/"} {
		if _, statErr := os.Stat(dir + name); statErr == nil {
			return dir + name, nil
		}
	}
	return "", err
}
