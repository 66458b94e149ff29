package main

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// Command lines as documents quote them: in code in a line, and in a block.
var (
	quotedLine = regexp.MustCompile("`(?:ssh node |[^`]*\\| )?(icap [^`]*)`")
	blockLine  = regexp.MustCompile(`^ *(?:\$ )?(icap .*)`)
)

// commandLines are those of a document.
func commandLines(text string) (lines []string) {
	inBlock := false
	for line := range strings.Lines(text) {
		pattern := quotedLine
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			inBlock = !inBlock
		}
		if inBlock {
			pattern = blockLine
		}
		for _, match := range pattern.FindAllStringSubmatch(line, -1) {
			lines = append(lines, match[1])
		}
	}
	return lines
}

// TestManuals parses every command line of the documents: its command and flags
// exist, and take such values.
func TestManuals(t *testing.T) {
	lines := 0
	for _, path := range []string{"README.md", "SECURITY.md", "deploy/README.md", "docs/istio.md", "docs/mtls.md", "docs/tcpdump.md", "bench/README.md"} {
		text, err := os.ReadFile("../../" + path)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range commandLines(string(text)) {
			words, ok := shellWords(line)
			if !ok || len(words) < 2 {
				continue
			}
			lines++
			root := newRoot()
			cmd, args, err := root.Find(words[1:])
			if err == nil {
				err = cmd.ParseFlags(args)
			}
			switch {
			case errors.Is(err, pflag.ErrHelp):
			case err != nil:
				t.Errorf("%s: %s: %v", path, line, err)
			}
			if err != nil || cmd != root {
				continue
			}
			if _, err := new(captureFlags).compile(expression(cmd.Flags().Args()), anyMask); err != nil {
				t.Errorf("%s: %s: %v", path, line, err)
			}
		}
	}
	if lines < 60 {
		t.Errorf("only %d command lines were found", lines)
	}
}

// shellWords are the words of a command up to a pipe, a redirection or a comment.
// Lines with placeholders are none.
func shellWords(line string) (words []string, ok bool) {
	line = strings.ReplaceAll(line, `\|`, "|")
	if strings.ContainsAny(line, "…[") || strings.Contains(line, "...") || strings.HasPrefix(line, "icap -X") {
		return nil, false
	}
	var word strings.Builder
	quote, inWord := rune(0), false
	end := func() {
		if inWord {
			words = append(words, word.String())
		}
		word.Reset()
		inWord = false
	}
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inWord = r, true
		case r == ' ':
			end()
		case r == '|' || r == '>' || r == '#' && !inWord || r == ';':
			end()
			return words, true
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	end()
	return words, quote == 0
}
