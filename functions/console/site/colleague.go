package site

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"marketplace/shared/logging"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

// colleagues names colleagues by email address, which is what requests and timelines have of them.
type colleagues map[string]string

// name returns the name of a colleague. Whoever never signed in is named by address.
func (c colleagues) name(email string) string {
	if name, ok := c[email]; ok {
		return name
	}
	return email
}

type colleaguesKey struct{}

// readColleagues returns a handler in whose requests colleaguesOf knows everybody by name. They are read once a page:
// at the same time as what the handler reads first where atOnce is set, else when they are first asked for.
func (s *site) readColleagues(atOnce bool, h web.HandlerFunc) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		read := sync.OnceValue(func() colleagues { return s.colleagues(r.Context()) })
		if atOnce {
			var wait sync.WaitGroup
			wait.Go(func() { read() })
			defer wait.Wait()
		}
		return h(w, r.WithContext(context.WithValue(r.Context(), colleaguesKey{}, read)))
	}
}

// colleaguesOf returns the colleagues for a page; none outside readColleagues.
func colleaguesOf(r *http.Request) colleagues {
	if read, ok := r.Context().Value(colleaguesKey{}).(func() colleagues); ok {
		return read()
	}
	return nil
}

// colleagues reads everybody's name. Two people of one name are told apart by their addresses. Without the directory a
// page still says everything else.
func (s *site) colleagues(ctx context.Context) colleagues {
	list, err := s.store.Colleagues(ctx)
	if err != nil {
		s.log.WarnContext(ctx, "colleagues not read", logging.Error(err))
	}
	return nameColleagues(list)
}

// named returns a text with the names of colleagues instead of their addresses.
func (c colleagues) named(text string) string {
	for email, name := range c {
		if name != "" {
			text = strings.ReplaceAll(text, email, name)
		}
	}
	return text
}

func nameColleagues(list []store.Colleague) colleagues {
	alike := map[string]int{}
	for _, c := range list {
		alike[c.Name]++
	}
	names := colleagues{}
	for _, c := range list {
		names[c.Email] = c.Name
		if alike[c.Name] > 1 {
			names[c.Email] += " (" + c.Email + ")"
		}
	}
	return names
}
