package sandbox

import (
	"errors"
	"strings"
)

// A Config says what is still needed. The zero value needs nothing but the
// descriptors that are open, reading files, and time.
type Config struct {
	// User is who to go on as; nil stays who it is.
	User *User
	// Keep is the capabilities to keep, of those that are there.
	Keep []Capability
	// Write is the directories below which files can be made, written and
	// removed, and Remove those below which they can be removed.
	Write, Remove []string
	// Look leaves it possible to look into other processes, as far as
	// capabilities allow. Landlock forbids that, so it is not used, and files
	// can be written wherever the user may.
	Look bool
	// ReadOnly lets no file be opened for writing, made, changed or removed,
	// by the system calls alone: for those who Look, and write nothing.
	ReadOnly bool
	// Open leaves it possible to open sockets and to enter namespaces, as far
	// as capabilities allow.
	Open bool
}

// A Capability is one of capabilities(7), by its number.
type Capability uint8

// The capabilities that programs here may want to keep.
const (
	DACOverride   Capability = 1
	DACReadSearch Capability = 2
	NetAdmin      Capability = 12
	NetRaw        Capability = 13
	SysPtrace     Capability = 19
	SysAdmin      Capability = 21
)

var capabilityNames = map[Capability]string{
	DACOverride: "CAP_DAC_OVERRIDE", DACReadSearch: "CAP_DAC_READ_SEARCH", NetAdmin: "CAP_NET_ADMIN",
	NetRaw: "CAP_NET_RAW", SysPtrace: "CAP_SYS_PTRACE", SysAdmin: "CAP_SYS_ADMIN",
}

func (c Capability) String() string { return capabilityNames[c] }

// Layers are those that are on, in words, and those that are not, with the
// reason.
type Layers struct {
	On  []string
	Off []string
}

// ErrUnsupported is the reason of all layers on other systems than Linux.
var ErrUnsupported = errors.New("only Linux has sandboxes of this kind")

// Enter puts all threads of the program into the sandbox. The error is that of
// becoming the wanted user; whatever else failed is in the layers.
func Enter(c Config) (Layers, error) { return enter(c) }

// Missing names the layers that the kernel does not have, with the reason.
func Missing() []string { return missing() }

// String lists the layers.
func (l Layers) String() string {
	text := strings.Join(l.On, ", ")
	if len(l.On) == 0 {
		text = "none"
	}
	if len(l.Off) > 0 {
		text += "; without " + strings.Join(l.Off, ", ")
	}
	return text
}

// add notes how it went with a layer.
func (l *Layers) add(name, words string, err error) {
	if err != nil {
		l.Off = append(l.Off, name+" ("+err.Error()+")")
		return
	}
	l.On = append(l.On, words)
}
