package pods

import (
	"strings"
	"testing"
)

const aUID = "00000000-0000-0000-0000-000000000001"

func TestParseTarget(t *testing.T) {
	for s, want := range map[string]Target{
		"default/productpage-v1-0": {Kind: Name, Namespace: "default", Name: "productpage-v1-0"},
		"default/a.b":              {Kind: Name, Namespace: "default", Name: "a.b"},
		"productpage.default":      {Kind: Name, Name: "productpage.default"},
		"productpage":              {Kind: Name, Name: "productpage"},
		"Blue_ns":                  {Kind: Name, Name: "Blue_ns"},
		"pid:1":                    {Kind: PID, PID: 1},
		"pid:4194304":              {Kind: PID, PID: 4194304},
		"netns:blue":               {Kind: Netns, Path: "blue"},
		"netns:/proc/7/ns/net":     {Kind: Netns, Path: "/proc/7/ns/net"},
		"netns:./a b":              {Kind: Netns, Path: "./a b"},
		"inode:4026531840":         {Kind: Inode, Inode: 4026531840},
		"container:0123abcd":       {Kind: Container, Container: "0123abcd"},
		"container:docker://01ab":  {Kind: Container, Container: "01ab"},
		"uid:" + aUID:              {Kind: UID, UID: aUID},
		"label:app=web,!canary":    {Kind: Labels, Labels: "app=web,!canary"},
		"label:a.io/app in (x, y)": {Kind: Labels, Labels: "a.io/app in (x, y)"},
		"self":                     {Kind: Self},
		"host":                     {Kind: Host},
	} {
		got, err := ParseTarget(s)
		if err != nil || got != want {
			t.Errorf("ParseTarget(%q) = %+v, %v, want %+v", s, got, err, want)
		}
	}
}

func TestParseTargetError(t *testing.T) {
	for s, part := range map[string]string{
		"":                         "empty; it can be NS/POD",
		"a/b/c":                    `"b/c" cannot be the name of a pod`,
		"Default/x":                `"Default" cannot be the name of a namespace`,
		"a.b/x":                    "cannot be the name of a namespace",
		"/run/netns/blue":          `a path is written "netns:/run/netns/blue"`,
		"../x":                     `a path is written "netns:../x"`,
		"a b":                      "neither a name nor",
		"-i":                       "neither a name nor",
		"a\x1b[31m":                `\x1b`,
		"pid:":                     "from 1 to 4194304",
		"pid:0":                    "from 1 to 4194304",
		"pid:4194305":              "from 1 to 4194304",
		"pid:-1":                   "from 1 to 4194304",
		"pid:99999999999999999999": "from 1 to 4194304",
		"inode:0":                  "net:[N]",
		"inode:net:[1]":            "net:[N]",
		"netns:":                   "neither a path nor",
		"netns:..":                 "neither a path nor",
		"netns:a\x00/":             "neither a path nor",
		"netns:/a\x1b[2J":          "neither a path nor",
		"container:12":             "4 to 64 hexadecimal digits",
		"container:xyzw":           "4 to 64 hexadecimal digits",
		"uid:1234":                 "a UUID, or 32 hexadecimal digits",
		"label:":                   "cannot be the key of a label",
		"label:app=a b":            "cannot be the value of a label",
		"pod:x":                    `unknown form "pod:"`,
		strings.Repeat("a", 254):   "neither a name nor",
	} {
		if got, err := ParseTarget(s); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("ParseTarget(%q) = %+v, %v, want an error with %q", s, got, err, part)
		}
	}
}

// FuzzParseTarget: a target prints as what is read as the same target, and an
// error is short and has no control characters.
func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{"a/b", "a.b", "pid:7", "netns:/x", "inode:9", "container:docker://abcd", "uid:" + aUID, "label:a in (b,c)", "self", "host", "a\x1b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseTarget(s)
		if err != nil {
			if len(err.Error()) > 4000 || strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' }) {
				t.Errorf("error %q", err)
			}
			return
		}
		if again, err := ParseTarget(got.String()); err != nil || again != got {
			t.Errorf("%q is %+v, which prints as %q and is then %+v, %v", s, got, got, again, err)
		}
	})
}
