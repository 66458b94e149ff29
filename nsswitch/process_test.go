package nsswitch

import "testing"

func TestStartTime(t *testing.T) {
	const tail = " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20 21"
	for _, tt := range []struct {
		name, line string
		want       uint64
		bad        bool
	}{
		{name: "plain", line: "17 (sleep)" + tail, want: 4242},
		{name: "spaces and parentheses in the command", line: "17 (a) b (c))" + tail, want: 4242},
		{name: "cut short", line: "17 (sleep) S 1 2 3", bad: true},
		{name: "no command", line: "17 sleep S 1 2", bad: true},
		{name: "empty", line: "", bad: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := startTime([]byte(tt.line))
			if got != tt.want || (err != nil) != tt.bad {
				t.Errorf("got %d, %v; want %d", got, err, tt.want)
			}
		})
	}
}
