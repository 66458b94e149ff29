// Command bench compares icap with other capture programs, and with the least
// that a capture can cost, in one run on one machine.
//
// It makes network namespaces of its own and lets numbered frames in there,
// from one CPU. On another CPU the programs capture them in turn, round after
// round. What is compared is the CPU time that a program takes for each
// packet in its file, as the ratio of two runs of the same round: such a
// ratio carries over to other machines, nanoseconds do not.
//
// Every file is read back, and every frame in it is compared with the one
// that was sent. A program that is fast because it leaves packets out does
// not look good here.
//
//	go run . -quick
//
// See README.md for what the numbers mean. It takes CAP_NET_ADMIN,
// CAP_NET_RAW and CAP_SYS_ADMIN; nothing leaves the namespaces, and nothing
// stays behind.
//
// The rooms of the house: internal/load sends, internal/peer lists the
// programs and internal/baseline has our own, internal/proc watches them,
// internal/check reads their files, internal/measure puts these together,
// internal/stats and internal/report make figures and tables of it.
package main
