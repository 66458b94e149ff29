package lab

import "testing"

func TestAnswerRefuses(t *testing.T) {
	for _, path := range []string{"nonsense", "/bytes", "/bytes?n=-1", "/bytes?n=1000000000",
		"/fetch", "/fetch?url=https://10.0.0.1:1/", "/fetch?url=http://name/"} {
		if got := (part{Name: "x"}).answer(path); got.status != 400 {
			t.Errorf("%s: got %+v, want 400", path, got)
		}
	}
}
