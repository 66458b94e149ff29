// Package nsswitch runs a function inside another network namespace, and
// names network namespaces.
//
// On Linux a network namespace belongs to a thread, not to a process. A
// goroutine that calls setns(2) moves whichever thread it happens to run on,
// and the Go scheduler may hand that thread to any other goroutine
// afterwards. [NS.Do] therefore runs its function on a goroutine that is
// locked to its thread, takes the thread home again, and, where the way home
// fails, lets the thread end with the goroutine. A thread that stands in a
// foreign namespace never goes back to the scheduler.
//
// What a namespace gives to a socket it gives when the socket is made: a
// packet socket that was opened inside Do keeps seeing that namespace's
// interfaces after Do has returned. So Do is for opening, not for living in:
//
//	ns, err := nsswitch.OpenPID(4711)
//	if err != nil {
//		return err
//	}
//	defer ns.Close()
//	err = ns.Do(func() error {
//		ring, err = afpacket.Open(afpacket.Config{Interface: "eth0"})
//		return err
//	})
//
// The function must not start goroutines that make sockets or read
// /proc/self/net: they run on other threads, in other namespaces. The dialer
// of package net does so. A child process that the function starts is in the
// namespace.
//
// # Privileges
//
// Opening /proc/PID/ns/net of another user's process takes CAP_SYS_PTRACE;
// opening a name below /run/netns takes nothing. Entering takes
// CAP_SYS_ADMIN. Errors that come from a missing capability wrap
// [fs.ErrPermission] and name it. See namespaces(7), setns(2), and
// capabilities(7).
package nsswitch
