package site

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/reference"
	"marketplace/shared/store"
	"marketplace/shared/store/search"
)

type searchView struct {
	Query      string
	SearchedBy string // "email address", "server ID" or "company"; "" for no search
	Requests   []requestRow
	Customers  []store.CustomerSummary
	Instances  []instanceRow
	More       bool   // more was found than is shown
	Error      string // why the query was rejected; "" for none
}

// Any reports whether something was found.
func (v searchView) Any() bool { return len(v.Requests)+len(v.Customers)+len(v.Instances) > 0 }

// Count says how much was found, such as "2 customers and 1 request".
func (v searchView) Count() string {
	var parts []string
	for _, found := range []struct {
		n    int
		what string
	}{{len(v.Customers), "customer"}, {len(v.Instances), "instance"}, {len(v.Requests), "request"}} {
		if found.n == 1 {
			parts = append(parts, "1 "+found.what)
		} else if found.n > 1 {
			parts = append(parts, fmt.Sprintf("%d %ss", found.n, found.what))
		}
	}
	return strings.Join(parts, " and ")
}

const (
	maxQuery  = input.MaxEmail // characters: nothing longer is searched for, but for a pasted key
	maxPasted = 4000           // bytes of a pasted license key or text; addresses of pages can be twice as long
	maxFound  = 100            // number of requests, customers and instances that are shown
)

// search finds requests and licenses. The form of the query tells what it is; an ID, a reference, or a key with an ID
// redirects to its page.
func (s *site) search(w http.ResponseWriter, r *http.Request) error {
	v := searchView{Query: r.URL.Query().Get("q")}
	show := func(status int) error {
		return s.render(w, r, status, "search.html", "", "Search", v)
	}
	var named license.Reference
	if len(v.Query) <= maxPasted {
		named = license.ReadReference(v.Query)
	}
	switch to, err := s.pageOf(r.Context(), named); {
	case err != nil:
		return err
	case to != "":
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil
	}
	q, err := input.Line("search", "The search", v.Query, maxQuery)
	if err != nil && len(named.Servers) == 0 {
		v.Error = fault.Sentence(err)
		return show(http.StatusUnprocessableEntity)
	}
	if q == "" && err == nil {
		return show(http.StatusOK)
	}
	searchedBy, found, err := s.find(r.Context(), q, named.Servers)
	if err != nil {
		return err
	}
	v.SearchedBy, v.More = searchedBy, found.More
	v.Requests, v.Customers = s.requestRows(r, found.Requests), found.Customers
	v.Instances = s.instanceRows(found.Instances)
	return show(http.StatusOK)
}

// pageOf returns the address of the page of the request or license that a text names; "" if there is none. All reads
// are made at once.
func (s *site) pageOf(ctx context.Context, named license.Reference) (string, error) {
	pages := make([]string, len(named.Short)+3*len(named.IDs))
	g, ctx := errgroup.WithContext(ctx)
	look := func(place int, read func() (page string, err error)) {
		g.Go(func() error {
			switch page, err := read(); fault.KindOf(err) {
			case fault.NotFound:
				return nil
			default:
				pages[place] = page
				return err
			}
		})
	}
	ofRequest := func(id string) func() (string, error) {
		return func() (string, error) { _, err := s.store.Request(ctx, id); return "/console/requests/" + id, err }
	}
	ofLicense := func(id string) func() (string, error) {
		return func() (string, error) { _, err := s.store.License(ctx, id); return "/console/licenses/" + id, err }
	}
	for i, short := range named.Short {
		if short.Kind() != reference.Request {
			look(i, func() (string, error) {
				_, err := s.store.CustomerByReference(ctx, short)
				return "/console/customers/" + string(short), err
			})
			continue
		}
		look(i, func() (string, error) {
			id, err := s.store.RequestByReference(ctx, short)
			return "/console/requests/" + id, err
		})
	}
	for i, id := range named.IDs {
		// Our own IDs are lower case, even if a mail program changed that; imported IDs keep their case.
		place, lower := len(named.Short)+3*i, strings.ToLower(id)
		look(place, ofRequest(lower))
		look(place+1, ofLicense(lower))
		look(place+2, ofLicense(id))
	}
	if err := g.Wait(); err != nil {
		return "", err
	}
	for _, page := range pages {
		if page != "" {
			return page, nil
		}
	}
	return "", nil
}

// searchFor returns the address of a search.
func searchFor(q string) string { return "/console/search?" + url.Values{"q": {q}}.Encode() }

// find searches by what the query looks like, or by the servers that it names. A word of a company name that looks like
// a server ID is found as well. q is empty for a key, or a text as long as one. All searches are made at once.
func (s *site) find(ctx context.Context, q string, servers []license.Server) (
	by string, found search.Found, err error) {
	email, bad := input.Email(q) // with a name or mailto:, as mail programs copy it
	if bad == nil {
		found, err = s.index.ByEmail(ctx, email, maxFound)
		return "email address", found, err
	}
	ofServers := make([]search.Found, len(servers))
	g, ctx := errgroup.WithContext(ctx)
	for i, server := range servers {
		g.Go(func() (err error) {
			ofServers[i], err = s.index.ByServer(ctx, string(server), maxFound)
			return err
		})
	}
	by = "server ID"
	var beginning, ofDomain search.Found
	switch {
	case strings.Contains(q, "@"): // addresses on record may be older than our rules
		by = "email address"
		g.Go(func() (err error) { found, err = s.index.ByEmail(ctx, q, maxFound); return err })
	case q != "":
		by = "company"
		g.Go(func() (err error) { found, err = s.index.ByName(ctx, q, maxFound); return err })
		g.Go(func() (err error) { beginning, err = s.index.ByServer(ctx, q, maxFound); return err })
		if domain, bad := customer.ParseDomain(q); bad == nil && strings.Contains(q, ".") {
			g.Go(func() (err error) { ofDomain, err = s.index.ByDomain(ctx, domain, maxFound); return err })
		}
	}
	if err := g.Wait(); err != nil {
		return "", search.Found{}, err
	}
	for _, f := range ofServers {
		if len(f.Requests)+len(f.Instances) > 0 {
			return "server ID", f, nil
		}
	}
	if len(beginning.Instances) > 0 && len(found.Customers)+len(found.Requests) == 0 {
		return "beginning of a server ID", beginning, nil
	}
	if len(ofDomain.Customers) > 0 {
		return "mail domain", ofDomain, nil
	}
	return by, found, nil
}
