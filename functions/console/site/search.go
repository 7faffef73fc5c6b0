package site

import (
	"context"
	"net/http"
	"net/mail"
	"net/url"
	"strings"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/store"
)

type searchView struct {
	Query    string
	What     string // what the query was taken for
	Requests []requestRow
	Licenses []licenseRow
	More     bool   // there is more than is shown
	Error    string // why nothing was searched; "" where something was
}

const (
	maxQuery = input.MaxEmail // characters: nothing that is looked for is longer than an e-mail address
	maxFound = 100            // requests, and licenses, that are shown
)

// search finds requests and licenses. What the query is, its form tells: an ID leads straight to its page.
func (s *site) search(w http.ResponseWriter, r *http.Request) error {
	v := searchView{Query: r.URL.Query().Get("q")}
	show := func(status int) error {
		return s.render(w, r, status, "search.html", "", "Search", v)
	}
	q, err := input.Line("search", "The search", v.Query, maxQuery)
	if err != nil {
		v.Error = fault.Sentence(err)
		return show(http.StatusUnprocessableEntity)
	}
	if q == "" {
		return show(http.StatusOK)
	}
	to, err := s.pageOf(r.Context(), q)
	if err != nil {
		return err
	}
	if to != "" {
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil
	}
	what, found, err := s.find(r.Context(), q)
	if err != nil {
		return err
	}
	v.What, v.More = what, found.More
	v.Requests, v.Licenses = s.requestRows(found.Requests), s.licenseRows(found.Licenses)
	return show(http.StatusOK)
}

// pageOf is the address of the page of the request or license with an ID; "" where it is the ID of none.
func (s *site) pageOf(ctx context.Context, id string) (string, error) {
	if !license.ValidID(id) {
		return "", nil
	}
	// Our own IDs are in lower case, whatever became of them on the way; imported ones are as they are.
	for _, try := range []struct{ path, id string }{
		{"/console/requests/", strings.ToLower(id)}, {"/console/licenses/", strings.ToLower(id)}, {"/console/licenses/", id},
	} {
		var err error
		if strings.HasSuffix(try.path, "requests/") {
			_, err = s.store.Request(ctx, try.id)
		} else {
			_, err = s.store.License(ctx, try.id)
		}
		switch {
		case err == nil:
			return try.path + try.id, nil
		case fault.KindOf(err) != fault.NotFound:
			return "", err
		}
	}
	return "", nil
}

// searchFor is the address that searches for something.
func searchFor(q string) string { return "/console/search?" + url.Values{"q": {q}}.Encode() }

// find looks a query up as what it looks like. A word of a company that happens to look like a server ID is found as well.
func (s *site) find(ctx context.Context, q string) (what string, found store.Found, err error) {
	if strings.Contains(q, "@") {
		if a, err := mail.ParseAddress(q); err == nil { // with a name, as mail programs copy it
			q = a.Address
		}
		found, err = s.store.FindByEmail(ctx, q, maxFound)
		return "the e-mail address", found, err
	}
	if server, bad := license.ParseServer(q); bad == nil {
		found, err = s.store.FindByDataset(ctx, server, maxFound)
		if err != nil || len(found.Requests)+len(found.Licenses) > 0 {
			return "the server ID, of whichever era", found, err
		}
	}
	found, err = s.store.FindByCompany(ctx, q, maxFound)
	return "words of a company's name", found, err
}
