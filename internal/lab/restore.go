package lab

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// A table is what a text for iptables-restore(8) says about one table.
type table struct {
	name   string
	chains []chain
	rules  []rule
}

// A chain is built in if it has a policy.
type chain struct {
	name   string
	policy string
}

// A rule applies its target to packets that all its matches accept.
type rule struct {
	chain   string
	matches []match
	target  string // target is RETURN, ACCEPT, DROP, REDIRECT or a chain.
	toPort  uint16 // toPort belongs to REDIRECT.
}

// A match is one option. Which field holds its value follows from the option.
type match struct {
	option string
	not    bool
	prefix netip.Prefix // -s -d
	name   string       // -i -o
	number uint32       // -p --sport --dport --uid-owner --gid-owner
}

// IP protocol numbers that rules name.
const (
	protoTCP = 6
	protoUDP = 17
)

// parseRestore reads a text with one table. It knows the options that
// Istio's rules for REDIRECT use and refuses every other one: a rule that is
// understood in part would be another rule.
func parseRestore(text string) (table, error) {
	var t table
	for i, line := range strings.Split(text, "\n") {
		if err := t.line(line); err != nil {
			return table{}, fmt.Errorf("parse rules: line %d: %w", i+1, err)
		}
	}
	if t.name == "" {
		return table{}, fmt.Errorf("parse rules: no table")
	}
	return t, nil
}

// line takes in one line of the text.
func (t *table) line(line string) error {
	words := strings.Fields(line)
	switch {
	case len(words) == 0 || line[0] == '#' || line == "COMMIT":
		return nil
	case line[0] == '*':
		if t.name != "" {
			return fmt.Errorf("second table %q", line)
		}
		t.name = line[1:]
		return nil
	case line[0] == ':' && len(words) >= 2:
		c := chain{name: words[0][1:]}
		if words[1] != "-" {
			c.policy = words[1]
		}
		t.chains = append(t.chains, c)
		return nil
	case words[0] == "-A":
		r, err := parseRule(words)
		if err != nil {
			return err
		}
		t.rules = append(t.rules, r)
		return nil
	}
	return fmt.Errorf("not understood: %q", line)
}

// parseRule reads the words of an -A line.
func parseRule(words []string) (rule, error) {
	var (
		r   rule
		not bool
	)
	for i := 0; i < len(words); {
		option := words[i]
		if option == "!" {
			not = true
			i++
			continue
		}
		if i+1 == len(words) {
			return rule{}, fmt.Errorf("%s without a value", option)
		}
		if err := r.option(option, words[i+1], not); err != nil {
			return rule{}, err
		}
		not = false
		i += 2
	}
	return r, r.check()
}

// option takes in one option and its value.
func (r *rule) option(option, value string, not bool) error {
	m := match{option: option, not: not}
	var err error
	switch option {
	case "-A", "-m", "-j", "--to-ports":
		if not {
			return fmt.Errorf("! before %s", option)
		}
		return r.unmatched(option, value)
	case "-s", "-d":
		m.prefix, err = netip.ParsePrefix(value)
		m.prefix = m.prefix.Masked()
	case "-i", "-o":
		m.name = value
		if strings.HasSuffix(value, "+") {
			err = fmt.Errorf("wildcard %q", value)
		}
	case "-p":
		m.number, err = parseProto(value)
	case "--sport", "--dport":
		m.number, err = parseNumber(value, 16)
	case "--uid-owner", "--gid-owner":
		m.number, err = parseNumber(value, 32)
	default:
		return fmt.Errorf("unknown option %s", option)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", option, err)
	}
	r.matches = append(r.matches, m)
	return nil
}

// unmatched takes in an option that is no match.
func (r *rule) unmatched(option, value string) error {
	switch option {
	case "-A":
		r.chain = value
	case "-j":
		r.target = value
	case "-m":
		if value != "tcp" && value != "udp" && value != "owner" {
			return fmt.Errorf("unknown match %q", value)
		}
	case "--to-ports":
		port, err := parseNumber(value, 16)
		if err != nil {
			return fmt.Errorf("--to-ports: %w", err)
		}
		r.toPort = uint16(port)
	}
	return nil
}

// check refuses rules that iptables would refuse as well.
func (r *rule) check() error {
	if r.target == "" {
		return fmt.Errorf("no target")
	}
	if (r.target == "REDIRECT") != (r.toPort != 0) {
		return fmt.Errorf("REDIRECT and --to-ports belong together")
	}
	ported := false
	for _, m := range r.matches {
		switch m.option {
		case "-p":
			ported = !m.not && (m.number == protoTCP || m.number == protoUDP)
		case "--sport", "--dport":
			if !ported {
				return fmt.Errorf("%s without -p tcp or -p udp", m.option)
			}
		}
	}
	return nil
}

func parseProto(s string) (uint32, error) {
	switch s {
	case "tcp":
		return protoTCP, nil
	case "udp":
		return protoUDP, nil
	}
	return parseNumber(s, 8)
}

func parseNumber(s string, bits int) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, bits)
	return uint32(n), err
}
