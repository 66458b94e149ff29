package pods

import (
	"fmt"
	"slices"
	"strings"
)

// A Selector chooses pods by their labels: those for which every requirement
// holds. The zero value chooses all.
type Selector struct{ requirements []requirement }

// A requirement is about one label. A pod without the label meets those that
// are negated, as in Kubernetes.
type requirement struct {
	key     string
	values  []string // one of which the label has; nil for any
	negated bool
}

// ParseSelector reads what "kubectl get pods -l" takes, but for comparisons by
// size: requirements with commas between them, each of the form
//
//	KEY  !KEY  KEY=VALUE  KEY==VALUE  KEY!=VALUE
//	KEY in (VALUE, VALUE)  KEY notin (VALUE, VALUE)
func ParseSelector(s string) (Selector, error) {
	var all Selector
	for _, part := range splitOutside(s) {
		r, err := parseRequirement(strings.TrimSpace(part))
		if err != nil {
			return Selector{}, err
		}
		all.requirements = append(all.requirements, r)
	}
	return all, nil
}

// Matches reports whether a pod with these labels is chosen.
func (s Selector) Matches(labels map[string]string) bool {
	return !slices.ContainsFunc(s.requirements, func(r requirement) bool {
		value, has := labels[r.key]
		meets := has && (r.values == nil || slices.Contains(r.values, value))
		return meets == r.negated
	})
}

// splitOutside splits at the commas that are not in parentheses.
func splitOutside(s string) []string {
	var parts []string
	depth, from := 0, 0
	for i := range len(s) {
		switch {
		case s[i] == '(':
			depth++
		case s[i] == ')':
			depth--
		case s[i] == ',' && depth == 0:
			parts = append(parts, s[from:i])
			from = i + 1
		}
	}
	return append(parts, s[from:])
}

func parseRequirement(s string) (r requirement, err error) {
	if key, list, ok := strings.Cut(s, "("); ok {
		return parseSet(key, list)
	}
	key, value, equals := strings.Cut(s, "=")
	if equals {
		r.values = []string{strings.TrimSpace(strings.TrimPrefix(value, "="))}
		key, r.negated = strings.CutSuffix(key, "!")
	} else {
		key, r.negated = strings.CutPrefix(key, "!")
	}
	r.key = strings.TrimSpace(key)
	return r, r.check()
}

// parseSet reads "KEY in" and "VALUE, VALUE)".
func parseSet(key, list string) (r requirement, err error) {
	list, closed := strings.CutSuffix(list, ")")
	words := strings.Fields(key)
	if !closed || len(words) != 2 || words[1] != "in" && words[1] != "notin" {
		return r, fmt.Errorf("%.300q is not KEY in (VALUE, VALUE) or KEY notin (VALUE, VALUE)", key+"("+list)
	}
	r.key, r.negated = words[0], words[1] == "notin"
	for value := range strings.SplitSeq(list, ",") {
		r.values = append(r.values, strings.TrimSpace(value))
	}
	return r, r.check()
}

func (r requirement) check() error {
	if !validLabelKey(r.key) {
		return fmt.Errorf("%.300q cannot be the key of a label", r.key)
	}
	for _, v := range r.values {
		if v != "" && !validLabelName(v) {
			return fmt.Errorf("%.300q cannot be the value of a label", v)
		}
	}
	return nil
}

// validLabelKey reports whether Kubernetes takes s as a key: a name, or the
// name of a domain, a slash and a name.
func validLabelKey(s string) bool {
	if domain, name, ok := strings.Cut(s, "/"); ok {
		return validPodName(domain) && validLabelName(name)
	}
	return validLabelName(s)
}

// validLabelName reports whether s is at most 63 letters, digits and, in
// between, dashes, dots and underscores.
func validLabelName(s string) bool {
	const most = 63
	if s == "" || len(s) > most {
		return false
	}
	for i := range len(s) {
		c := s[i]
		inner := i > 0 && i < len(s)-1
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
			inner && (c == '-' || c == '_' || c == '.')) {
			return false
		}
	}
	return true
}
