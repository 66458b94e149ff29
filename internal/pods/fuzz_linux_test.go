package pods

import (
	"strings"
	"testing"
)

// FuzzParseStat: the name of a process, which it chooses, neither hides the
// fields behind it nor reaches a terminal.
func FuzzParseStat(f *testing.F) {
	const rest = " S 1 2 3 0 -1 4194560 1 0 0 0 2 3 0 0 20 0 7 0 4711 22 1"
	f.Add("sleep", rest)
	f.Add(") S (", rest)
	f.Add("\x1b[2J\n", " S 1")
	f.Fuzz(func(t *testing.T, name, rest string) {
		command, start, _, err := parseStat([]byte("7 (" + name + ")" + rest))
		if err != nil {
			return
		}
		if len(command) > maxCommand || strings.ContainsFunc(command, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("command %q", command)
		}
		if _, again, _, err := parseStat([]byte("7 (x)" + rest[strings.LastIndexByte(rest, ')')+1:])); err != nil || again != start {
			t.Errorf("started at %d by its name, else at %d (%v)", start, again, err)
		}
	})
}

// FuzzParseEnviron: what a process claims in its environment is valid or left
// out.
func FuzzParseEnviron(f *testing.F) {
	f.Add("POD_NAME=web-7d9c\x00POD_NAMESPACE=shop\x00ISTIO_META_INTERCEPTION_MODE=TPROXY\x00")
	f.Add("POD_NAME=../../etc\x00POD_NAMESPACE=\x1b[2J\x00\x00=")
	f.Fuzz(func(t *testing.T, environ string) {
		c := parseEnviron(environ)
		if c.name != "" && !validPodName(c.name) || c.namespace != "" && !validNamespace(c.namespace) ||
			c.workload != "" && !validPodName(c.workload) || strings.ContainsAny(c.name+c.namespace+c.workload+c.interception, "/\x00\x1b\n") {
			t.Errorf("%q claims %+v", environ, c)
		}
	})
}

// FuzzParseLogDir: the name of a directory is that of its parts, none of which
// leads anywhere.
func FuzzParseLogDir(f *testing.F) {
	f.Add("shop_web-0_0f0e7c33-7c5a-4d43-a9b5-e94b6f4b4b4b")
	f.Add("shop_.._..")
	f.Fuzz(func(t *testing.T, dir string) {
		uid, n, ok := parseLogDir(dir)
		if !ok {
			return
		}
		if n.namespace+"_"+n.name+"_"+uid != dir || strings.ContainsAny(dir, "/\x00\x1b\n") {
			t.Errorf("%q is %+v, %q", dir, n, uid)
		}
	})
}

// FuzzParseSelector: of two selectors with a comma between them both have to
// hold.
func FuzzParseSelector(f *testing.F) {
	f.Add("app=web", "tier in (a, b)", "web")
	f.Add("!app", "app!=db", "")
	f.Add("app notin (x)", "app==x", "x")
	f.Add("a in (b", ")", "b")
	f.Fuzz(func(t *testing.T, one, two, value string) {
		a, aerr := ParseSelector(one)
		b, berr := ParseSelector(two)
		if aerr != nil || berr != nil {
			return
		}
		both, err := ParseSelector(one + "," + two)
		if err != nil {
			t.Fatalf("%q and %q, but not both: %v", one, two, err)
		}
		for _, labels := range []map[string]string{nil, {"app": value}, {"app": value, "tier": "a"}} {
			if both.Matches(labels) != (a.Matches(labels) && b.Matches(labels)) {
				t.Errorf("%q, %q and both disagree on %q", one, two, labels)
			}
		}
	})
}
