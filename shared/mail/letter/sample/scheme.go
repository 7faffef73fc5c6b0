package sample

import "strings"

// Scheme is the color scheme of a mail program.
type Scheme string

const (
	Light Scheme = "light"
	Dark  Scheme = "dark"
)

// HTML returns the letter's HTML as a mail program of the color scheme shows it, whatever the scheme of the browser
// that shows the sample. Links open in a new window, as they do from a mail program.
func (l Letter) HTML(s Scheme) string {
	dark := "not all"
	if s == Dark {
		dark = "all"
	}
	return strings.NewReplacer(
		"<head>", `<head><base target="_blank">`,
		`content="light dark"`, `content="`+string(s)+`"`,
		"color-scheme: light dark", "color-scheme: "+string(s),
		"(prefers-color-scheme: dark)", dark,
	).Replace(l.Message.HTMLBody())
}
