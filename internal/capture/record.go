package capture

import "time"

// recordEvery is how often a file gets its statistics so far. By them a file
// that is torn, or still written, tells what it lacks up to there. They do not
// tell when the capture ended, so that nobody takes them for the last ones.
const recordEvery = 5 * time.Second

// record writes the statistics of the file so far, ahead of a packet of time t,
// if they are due. They count what has passed through the capture.
func (f *Files) record(t int64) error {
	if t < f.due {
		return nil
	}
	f.due = t + int64(recordEvery)
	most := f.config.MaxBytes
	if f.live == nil || most > 0 && f.closed+f.to.Size()+2*f.reserve > most {
		return nil
	}
	return f.to.record(f.since(f.passed()), f.begin, time.Unix(0, t))
}

// since is what became of the sources since the file began.
func (f *Files) since(now []Source) []Source {
	since := make([]Source, len(f.base))
	for i := range since {
		since[i].Received = now[i].Received - min(now[i].Received, f.base[i].Received)
		since[i].Dropped = now[i].Dropped - min(now[i].Dropped, f.base[i].Dropped)
		since[i].Excluded = now[i].Excluded - min(now[i].Excluded, f.base[i].Excluded)
	}
	return since
}
