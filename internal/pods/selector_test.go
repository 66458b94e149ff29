package pods

import (
	"strings"
	"testing"
)

func TestSelector(t *testing.T) {
	labels := map[string]string{"app": "web", "app.kubernetes.io/name": "shop.Web_1", "canary": ""}
	for selector, want := range map[string]bool{
		"app":                                true,
		"!app":                               false,
		"tier":                               false,
		"!tier":                              true,
		"app=web":                            true,
		"app==web":                           true,
		"app = web":                          true,
		"app=we":                             false,
		"app!=web":                           false,
		"app!=db":                            true,
		"tier!=db":                           true,
		"canary=":                            true,
		"canary":                             true,
		"tier=":                              false,
		"app in (db, web)":                   true,
		"app in (db,cache)":                  false,
		"app notin (db,cache)":               true,
		"app notin (db,web)":                 false,
		"tier notin (db)":                    true,
		"tier in (db)":                       false,
		"canary in ()":                       true,
		"app=web,!tier":                      true,
		"app=web,tier":                       false,
		"app in (web,db), canary":            true,
		"app.kubernetes.io/name=shop.Web_1":  true,
		"app.kubernetes.io/name!=shop.Web_1": false,
	} {
		s, err := ParseSelector(selector)
		if err != nil {
			t.Errorf("%s: %v", selector, err)
			continue
		}
		if got := s.Matches(labels); got != want {
			t.Errorf("%s: %v, want %v", selector, got, want)
		}
	}
}

func TestSelectorRefusals(t *testing.T) {
	for selector, want := range map[string]string{
		"":                            `"" cannot be the key`,
		"app=web,":                    `"" cannot be the key`,
		"=web":                        `"" cannot be the key`,
		"!app=web":                    `"!app" cannot be the key`,
		"-app":                        `"-app" cannot be the key`,
		"a b":                         `"a b" cannot be the key`,
		"App.Io/name":                 `"App.Io/name" cannot be the key`,
		"a/b/c":                       `"a/b/c" cannot be the key`,
		strings.Repeat("a", 64):       "cannot be the key",
		"app=w b":                     `"w b" cannot be the value`,
		"app=web=db":                  `"web=db" cannot be the value`,
		"app=-":                       `"-" cannot be the value`,
		"app in (web":                 "is not KEY in (VALUE, VALUE)",
		"app among (web)":             "is not KEY in (VALUE, VALUE)",
		"in (web)":                    "is not KEY in (VALUE, VALUE)",
		"app in (web) x":              "is not KEY in (VALUE, VALUE)",
		"app in ((web),db)":           `"(web)" cannot be the value`,
		"app=\x1b[2J":                 `"\x1b[2J" cannot be the value`,
		"app in (web),tier in (a(b))": `"a(b)" cannot be the value`,
	} {
		if _, err := ParseSelector(selector); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", selector, err, want)
		}
	}
}
