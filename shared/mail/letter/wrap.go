package letter

import (
	"strings"
	"unicode/utf8"
)

// textWidth is the longest line of a text body, in characters, unless a single word is longer.
const textWidth = 76

// wrap breaks a text at spaces into lines of at most width characters; a longer word, such as an address, stays whole.
func wrap(s string, width int) (lines []string) {
	line, length := "", 0
	for _, word := range strings.Fields(s) {
		n := utf8.RuneCountInString(word)
		switch {
		case length == 0:
			line, length = word, n
		case length+1+n <= width:
			line, length = line+" "+word, length+1+n
		default:
			lines = append(lines, line)
			line, length = word, n
		}
	}
	if length > 0 {
		lines = append(lines, line)
	}
	return lines
}
