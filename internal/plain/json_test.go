package plain

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestNewJSON(t *testing.T) {
	const text = "a\x7f\u0085\u202e\U0001f40b\"\\\n"
	var b strings.Builder
	if err := NewJSON(&b).Encode(text); err != nil {
		t.Fatal(err)
	}
	if want := `"a\u007f\u0085\u202e\ud83d\udc0b\"\\\n"` + "\n"; b.String() != want {
		t.Errorf("got %s, want %s", b.String(), want)
	}
	var back string
	if err := json.Unmarshal([]byte(b.String()), &back); err != nil || back != text {
		t.Errorf("read back as %q, %v", back, err)
	}
}
