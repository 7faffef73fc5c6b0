package license

import (
	"regexp"
	"sync"
)

// pattern is a regular expression that is compiled when it is first used: every function links this package, and pays for
// what it compiles at each cold start.
func pattern(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
