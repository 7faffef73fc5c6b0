package session

import (
	"net/url"
	"path"
	"slices"
	"strings"
)

// MaxReturn is the longest address to return to, in bytes: it travels in a cookie, and browsers limit those to 4 KB.
const MaxReturn = 2000

// ReturnPath returns where to go after signing in, if that is home or a page below it that is not among except. Any
// other address, of this host or of another, becomes home.
func ReturnPath(to, home string, except ...string) string {
	u, err := url.Parse(to)
	switch {
	case err != nil, len(u.RequestURI()) > MaxReturn, strings.ContainsFunc(to, notGraphic):
		return home
	case u.IsAbs(), u.Host != "", u.User != nil, strings.Contains(u.Path, `\`):
		return home
	case u.Path != home && !strings.HasPrefix(u.Path, home+"/"), path.Clean(u.Path) != strings.TrimSuffix(u.Path, "/"):
		return home
	case slices.Contains(except, u.Path):
		return home
	}
	return u.RequestURI()
}

// notGraphic reports whether r is not a visible character of ASCII.
func notGraphic(r rune) bool { return r <= ' ' || r > '~' }
