package report

import (
	"time"

	"icap/internal/cause"
	"icap/internal/plain"
	"icap/internal/sight"
)

// An EventRecord is an event as JSON.
type EventRecord struct {
	Time     time.Time `json:"time"`
	Event    string    `json:"event"`
	Place    string    `json:"interface"`
	Leg      string    `json:"leg,omitempty"`
	Pod      string    `json:"pod,omitempty"`
	Client   string    `json:"client"`
	Server   string    `json:"server"`
	ByClient bool      `json:"byClient"`
	Who      string    `json:"who"`
	// PID and Command are of the process that has the socket of Who, live and
	// where known. Listening says that it is the socket that listens there.
	PID       int     `json:"pid,omitempty"`
	Command   string  `json:"command,omitempty"`
	UID       *uint32 `json:"uid,omitempty"`
	Listening bool    `json:"listening,omitempty"`
	// Netns is the inode of the network namespace, live.
	Netns uint64 `json:"netns,omitempty"`

	Why      string          `json:"why,omitempty"`
	Sure     cause.Certainty `json:"sure"`
	Evidence string          `json:"evidence"`
	Reason   string          `json:"reason,omitempty"` // of the kernel for a RST, with --ebpf
	Harmless bool            `json:"harmless"`
	Impact   string          `json:"impact,omitempty"`
	Because  string          `json:"because,omitempty"`

	// Passage is what became of the packet between this pod and OtherPod, if
	// that was captured, too: arrived, lost, or forged between them. Took is
	// how long it was on its way, where one clock tells both times.
	OtherPod string        `json:"otherPod,omitempty"`
	Passage  cause.Passage `json:"passage,omitempty"`
	Took     *float64      `json:"tookSeconds,omitempty"`
}

func newEventRecord(f *cause.Finding, names Names) *EventRecord {
	h, _ := doer(names, f)
	var took *float64
	if f.HasTook {
		seconds := float64(f.Took) / 1e9
		took = &seconds
	}
	return &EventRecord{
		OtherPod: f.OtherPod, Passage: f.Passage, Took: took,
		PID: h.PID, Command: plain.Text(h.Command), UID: h.user(), Listening: h.Listening, Netns: names.Netns(sight.Pod(f.Conn.Place)),
		Time: time.Unix(0, f.Time), Event: f.Event.Kind.String(), Place: plain.Text(f.Conn.Place),
		Leg: sight.Leg(f.Conn.Place), Pod: f.Pod,
		Client: f.Conn.Client.String(), Server: f.Conn.Server.String(), ByClient: f.ByClient,
		Who: f.Who, Why: f.Why, Sure: f.Sure, Evidence: f.Evidence, Reason: f.Reason, Harmless: f.Harmless, Impact: f.Impact, Because: f.Because,
	}
}
