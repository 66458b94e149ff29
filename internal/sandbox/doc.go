// Package sandbox takes from a program that has opened what it needs whatever
// else it could do, in layers that do not rely on each other: another user, no
// capabilities, no privileges by executing, no writing outside of some
// directories (Landlock), no system calls but those of a list (seccomp).
//
// What is given up is given up by all threads, for good. A layer that the
// kernel, or a container's own restrictions, do not allow is left out, and
// named; only a wanted user that cannot be taken on is an error.
package sandbox
