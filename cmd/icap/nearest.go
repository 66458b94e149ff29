package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagError says which flag may have been meant by one that there is not.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || unknown.GetSpecifiedShortnames() != "" {
		return usageError{err}
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	if name := nearest(unknown.GetSpecifiedName(), names); name != "" {
		return usagef("%w; did you mean --%s?", err, name)
	}
	return usageError{err}
}

// hintCommand says which command may have been meant by the first word of an
// expression that makes no sense.
func hintCommand(cmd *cobra.Command, words []string, err error) error {
	if len(words) == 0 || !cmd.HasAvailableSubCommands() {
		return err
	}
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(append(names, c.Name()), c.Aliases...)
		}
	}
	if name := nearest(words[0], names); name != "" {
		return fmt.Errorf("%w (or did you mean icap %s?)", err, name)
	}
	return err
}

// nearest is the name that a word was probably meant to be, empty if none is
// near: one that begins with it, or that two typing errors lead to, one if it is
// short.
func nearest(word string, names []string) (best string) {
	const short, few, more = 4, 1, 2
	least := more + 1
	if len(word) <= short {
		least = few + 1
	}
	for _, name := range names {
		d := distance(word, name)
		if len(word) > short && strings.HasPrefix(name, word) {
			d = 0
		}
		if d < least {
			best, least = name, d
		}
	}
	return best
}

// distance counts the letters to insert, delete or replace, and neighbours to
// exchange, that make one word the other.
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			change := last[j]
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(change, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
