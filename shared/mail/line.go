package mail

import "marketplace/shared/input"

// OneLine is input.OneLine.
func OneLine(s string, limit int) string { return input.OneLine(s, limit) }

// Invisible reports the characters that OneLine drops wherever they are; the joiners of an emoji are not among them.
func Invisible(r rune) bool {
	return input.IsInvisible(r) && r != '\u200d' && r != '\u200c' && r != '\ufe0f'
}
