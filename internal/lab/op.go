package lab

// A command tells a stand-in what to do.
type command struct {
	ID      int // ID is a number to find the reply by.
	Op      op
	Session int // Session is the number of an open connection.
	Request
}

// An op is what a command wants.
type op int

const (
	opRequest op = iota // opRequest makes a request.
	opSync              // opSync only wants the reply.
	opOpen              // opOpen is opRequest that leaves the connection open.
	opGet               // opGet asks on the connection of opOpen.
	opHangUp            // opHangUp is opGet and the end.
)
