package bpfc

import "strings"

// nearestKeyword returns the keyword that word probably was meant to be: the
// same but for the case of letters, or one that a single slip of the fingers
// (two in words of six or more letters) turns into word. It returns "" if
// there is none.
func nearestKeyword(word string) string {
	if len(word) > 16 {
		return ""
	}
	lower := strings.ToLower(word)
	best, least := "", 2
	if len(word) >= 6 {
		least = 3
	}
	for _, k := range keywords {
		if k.class.isForeign() && k.word != lower {
			continue
		}
		if d := distance(lower, k.word); d < least && d < len(k.word)-1 {
			best, least = k.word, d
		}
	}
	return best
}

// didYouMean phrases the hint for a word that is no keyword.
func didYouMean(word string) string {
	if k := nearestKeyword(word); k != "" {
		return "did you mean " + quote(k) + "?"
	}
	return ""
}

// distance returns the number of insertions, deletions, replacements and
// swaps of neighbours that turn a into b (optimal string alignment).
func distance(a, b string) int {
	before := make([]int, len(b)+1) // the row above the row above
	above := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}

// operandHint says with which qualifier an operand that stands alone was
// probably meant.
func operandHint(o *operand) string {
	word := o.String()
	switch {
	case o.kind == tokenName && nearestKeyword(o.text) != "":
		return didYouMean(o.text)
	case o.bits >= 0 || o.mask != "":
		return "did you mean " + quote("net "+word) + "?"
	case o.kind == tokenNumber:
		return "did you mean " + quote("port "+word) + "?"
	case o.kind == tokenMAC:
		return "did you mean " + quote("ether host "+word) + "?"
	}
	if _, _, ok := leadingRange(o.text); ok {
		return "did you mean " + quote("portrange "+word) + "?"
	}
	return "did you mean " + quote("host "+word) + "?"
}
