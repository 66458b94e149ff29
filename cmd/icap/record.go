package main

import (
	"icap/internal/kernel"
	"icap/internal/pods"
	"icap/internal/sandbox"
	"icap/istiofilter"
	"icap/nsswitch"
	"icap/pcapwriter"
)

// A helperSetup is what a helper is started with. The namespaces of the places
// are the files that come with it.
type helperSetup struct {
	Proc      string
	CRISocket string
	Targets   []pods.Target // that can be asked for
	Places    []placeRecord // that are captured now
	Facts     []factsRecord // of these
	User      *sandbox.User
	Keep      []sandbox.Capability
	Look      bool // into processes
}

// A placeRecord is a place on its way between capture and helper.
type placeRecord struct {
	Number    uint32
	Title     string
	Pod       *pods.Pod
	PID       int
	Links     []kernel.Link
	Cookie    uint64
	About     string
	Gateway   bool
	Target    pods.Target
	Succeeded bool
	PIDs      []int
	Others    []pcapwriter.Name
}

func recordOf(p *place) placeRecord {
	return placeRecord{p.number, p.title, p.pod, p.pid, p.links, p.cookie, p.about, p.gateway, p.target, p.succeeded, p.pids, p.others}
}

// place is that of the record, with its namespace.
func (r *placeRecord) place(ns *nsswitch.NS, s pods.Scanner) *place {
	return &place{
		ns: ns, number: r.Number, title: r.Title, pod: r.Pod, pid: r.PID, links: r.Links, cookie: r.Cookie, about: r.About,
		gateway: r.Gateway, scanner: s, target: r.Target, succeeded: r.Succeeded, pids: r.PIDs, others: r.Others,
	}
}

// A factsRecord are facts on their way.
type factsRecord struct {
	Pod       *istiofilter.Pod
	Mode      string
	Users     []uint32
	Notes     []string
	Served    []uint16
	Ambient   bool
	Known     []istiofilter.Conn
	ProxyUser []int
	Groups    []int
	Processes []int
	Agents    []int
}

func (f *facts) record() factsRecord {
	return factsRecord{f.pod, f.mode, f.users, f.notes, f.served, f.ambient, f.known,
		f.proxy.users, f.proxy.groups, f.proxy.processes, f.proxy.agents}
}

func (r *factsRecord) facts() *facts {
	return &facts{pod: r.Pod, mode: r.Mode, users: r.Users, notes: r.Notes, served: r.Served, ambient: r.Ambient, known: r.Known,
		proxy: proxy{users: r.ProxyUser, groups: r.Groups, processes: r.Processes, agents: r.Agents}}
}

// A study is what the helper tells about a place.
type study struct {
	Place placeRecord
	Facts factsRecord
}
