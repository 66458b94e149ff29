// Package plain writes what people and programs read: text that cannot talk to
// a terminal, whoever chose it, JSON of which the same is true, and times and
// sizes in few characters.
package plain
