package pods

import "os"

// Arrivals watches the directories where a new pod shows first: Scanner.Netns,
// where CNI plugins make a file for its network namespace, and Scanner.PodLogs,
// where the kubelet makes one for its logs. A read from the file returns when
// something was made or removed in them; what was read has no meaning but that
// it is time to look. A read can be ended by closing the file.
//
// Neither is certain: a file comes a moment before the namespace, and longer
// before the pod's processes, and there are runtimes that use neither. A
// directory that is not there is left out; without both it is an error.
func (s Scanner) Arrivals() (*os.File, error) { return s.arrivals() }
