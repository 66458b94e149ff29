package peer

import "testing"

func TestCounts(t *testing.T) {
	tests := []struct {
		name  string
		count func(string) (Counts, error)
		words string
		want  Counts
	}{
		{"tcpdump", tcpdumpCounts,
			"tcpdump: listening on cap0\n1 packet captured\n12 packets received by filter\n11 packets dropped by kernel\n",
			Counts{Captured: 1, Dropped: 11}},
		{"go-pcap", blindCounts, "25000 packets captured\n", Counts{Captured: 25000, Blind: true}},
		{"dumpcap", dumpcapCounts,
			"Capturing on 'cap0'\nFile: f\nPackets captured: 90\n" +
				"Packets received/dropped on interface 'cap0': 90/10 (pcap:8/dumpcap:2/flushed:0/ps_ifdrop:0) (90.0%)\n",
			Counts{Captured: 90, Dropped: 10}},
		{"netsniff-ng", netsniffCounts,
			"\n\r          2500  packets incoming (0 unread on exit)\n\r          2400  packets passed filter\n\r" +
				"           100  packets failed filter (out of space)\n\r       4.0000% packet droprate\n",
			Counts{Captured: 2400, Dropped: 100}},
	}
	for _, tt := range tests {
		got, err := tt.count(tt.words)
		if err != nil || got != tt.want {
			t.Errorf("%s: got %+v, %v, want %+v", tt.name, got, err, tt.want)
		}
		if _, err := tt.count("Killed\n"); err == nil {
			t.Errorf("%s: no error without counts", tt.name)
		}
	}
	if _, err := tcpdumpCounts("1 packet captured\n"); err == nil {
		t.Error("no error without drops")
	}
}
