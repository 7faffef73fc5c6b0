// Package lazyregexp compiles regular expressions on first use. Each function links many that most of its requests
// never use, and compiling all of them would slow down every cold start.
package lazyregexp

import (
	"regexp"
	"sync"
)

// New returns a function that compiles expr on its first call, once for all callers. That call panics if expr is
// invalid.
func New(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
