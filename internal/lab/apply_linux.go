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

// choose replaces Auto by what the machine has.
func (a Apply) choose() Apply {
	if a != Auto {
		return a
	}
	if _, err := findProgram("iptables-restore"); err != nil {
		return NFTables
	}
	return IPTables
}

// apply brings the rules into a namespace.
func apply(ctx context.Context, ns *nsswitch.NS, r Rules, a Apply) error {
	v4, v6, err := r.texts()
	if err != nil {
		return err
	}
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
		return restore(ctx, ns, program+"-restore", text)
	case IPTablesLegacy:
		return restore(ctx, ns, program+"-legacy-restore", text)
	case NFTables:
		t, err := parseRestore(text)
		if err != nil {
			return err
		}
		return applyNFT(ns, f, t)
	}
	return fmt.Errorf("no such way to apply rules: %v", a)
}

// restore feeds the text to one of the restore programs inside the
// namespace. It waits for the lock of the legacy programs, which all
// namespaces share.
func restore(ctx context.Context, ns *nsswitch.NS, program, text string) error {
	path, err := findProgram(program)
	if err != nil {
		return err
	}
	var stderr strings.Builder
	cmd := exec.CommandContext(ctx, path, "-w", "5")
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
