// Package stitch gives the redirected half of a connection its addresses back.
//
// A sidecar's app calls 10.96.1.1:80, and the pod's rules redirect it to the
// proxy. On the loopback interface one half of the connection then shows
// 127.0.0.1:15001, and the other one 10.96.1.1:80: two connections for every
// program that reads the file, none of which can be followed. The app saw one,
// with 10.96.1.1:80, and that is what this package restores:
//
//	POD:40000 -> 127.0.0.1:15001     becomes     POD:40000 -> 10.96.1.1:80
//	10.96.1.1:80 -> POD:40000                    (as it is)
//
// Which half belongs to which is known from the numbers of TCP: the answer to
// a SYN acknowledges its sequence number plus one. Ports alone do not tell,
// since the kernel gives one of two connections from the same port another
// one. DNS over UDP goes by its query's id. While capturing, the kernel's own
// connection tracking tells it at once: see [Translations].
//
// A [Table] takes packets in the order of the file and says what to do with
// each; [File] stitches a whole file.
package stitch
