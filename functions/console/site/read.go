package site

import "golang.org/x/sync/errgroup"

// read reads a value into a place, at once with the other reads of the group. A page lists what it reads in one
// function, in groups of what does not wait for one another: each group costs the page a few milliseconds.
func read[T any](g *errgroup.Group, place *T, from func() (T, error)) {
	g.Go(func() (err error) {
		*place, err = from()
		return err
	})
}
