package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// coloured says whether lines get colours, by the value of --color: where they
// are read on a terminal, and NO_COLOR is not set, as no-color.org has it.
func coloured(when string, out io.Writer) bool {
	switch when {
	case "always":
		return true
	case "never":
		return false
	}
	f, ok := out.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}
