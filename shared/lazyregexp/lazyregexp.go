// Package lazyregexp makes regular expressions that are compiled when they are first used: every function links many that one of
// its requests needs none of, and a cold start would pay for all.
package lazyregexp

import (
	"regexp"
	"sync"
)

// New returns a function that compiles expr when it is first called, once for all callers. It panics there where expr is no
// regular expression.
func New(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
