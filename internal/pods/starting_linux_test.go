package pods

import "testing"

func TestIsRuntime(t *testing.T) {
	for cmdline, want := range map[string]bool{
		"runc\x00init\x00":                                true,
		"/usr/sbin/runc\x00init\x00":                      true,
		"/usr/bin/crun\x00--root=/run/crun\x00create\x00": true,
		"/pause\x00":                                      false,
		"/app\x00runc\x00":                                false,
		"runcible\x00":                                    false,
		"":                                                false,
	} {
		if got := isRuntime(cmdline); got != want {
			t.Errorf("%q: %v, want %v", cmdline, got, want)
		}
	}
}

// TestSettled keeps all but the process that is in the cgroups of a pod and in the
// network of the node.
func TestSettled(t *testing.T) {
	const node, pod = 10, 20
	is := func(pid, parent int, podUID string, inode uint64, runtime bool) member {
		return member{Process: Process{PID: pid}, parent: parent, podUID: podUID, inode: inode, runtime: runtime}
	}
	all := []member{
		is(1, 0, "", node, false),
		is(2, 1, "", node, false),  // runc create
		is(3, 2, "a", node, true),  // runc init, that is about to leave
		is(4, 2, "b", pod, true),   // that has left
		is(5, 1, "c", node, false), // a pod in the node's network
		is(6, 5, "c", node, true),  // which has a runtime of its own
		is(7, 99, "d", node, true), // nobody knows who has started it
		is(8, 1, "e", 0, true),     // it may not be seen where it is
	}
	var got []int
	for _, m := range settled(all) {
		got = append(got, m.PID)
	}
	want := []int{1, 2, 4, 5, 6, 7, 8}
	if len(got) != len(want) {
		t.Fatalf("%v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%v, want %v", got, want)
		}
	}
}
