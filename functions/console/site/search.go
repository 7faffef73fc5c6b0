package site

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/store"
)

type searchView struct {
	Query      string
	SearchedBy string // "email address", "server ID" or "company"; "" for no search
	Requests   []requestRow
	Licenses   []licenseRow
	More       bool   // more was found than is shown
	Error      string // why the query was rejected; "" for none
}

const (
	maxQuery  = input.MaxEmail // characters: nothing longer is searched for, but for a pasted key
	maxPasted = 4000           // bytes of a pasted license key or text; addresses of pages can be twice as long
	maxFound  = 100            // number of requests, and of licenses, that are shown
)

// search finds requests and licenses. The form of the query tells what it is; an ID, or a key with one, redirects to
// its page.
func (s *site) search(w http.ResponseWriter, r *http.Request) error {
	v := searchView{Query: r.URL.Query().Get("q")}
	show := func(status int) error {
		return s.render(w, r, status, "search.html", "", "Search", v)
	}
	var named license.Reference
	if len(v.Query) <= maxPasted {
		named = license.ReadReference(v.Query)
	}
	for _, id := range named.IDs {
		switch to, err := s.pageOf(r.Context(), id); {
		case err != nil:
			return err
		case to != "":
			http.Redirect(w, r, to, http.StatusSeeOther)
			return nil
		}
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
	v.Requests, v.Licenses = s.requestRows(r, found.Requests), s.licenseRows(found.Licenses)
	return show(http.StatusOK)
}

// pageOf returns the address of the page of the request or license with an ID; "" if there is none.
func (s *site) pageOf(ctx context.Context, id string) (string, error) {
	// Our own IDs are lower case, even if a mail program changed that; imported IDs keep their case.
	for _, try := range []struct{ path, id string }{
		{"/console/requests/", strings.ToLower(id)},
		{"/console/licenses/", strings.ToLower(id)},
		{"/console/licenses/", id},
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

// searchFor returns the address of a search.
func searchFor(q string) string { return "/console/search?" + url.Values{"q": {q}}.Encode() }

// find searches by what the query looks like, or by the servers that it names. A word of a company name that looks like
// a server ID is found as well. q is empty for a key, or a text as long as one.
func (s *site) find(ctx context.Context, q string, servers []license.Server) (by string, found store.Found, err error) {
	if email, bad := input.Email(q); bad == nil { // with a name or mailto:, as mail programs copy it
		found, err = s.store.FindByEmail(ctx, email, maxFound)
		return "email address", found, err
	}
	for _, server := range servers {
		found, err = s.store.FindByDataset(ctx, server, maxFound)
		if err != nil || len(found.Requests)+len(found.Licenses) > 0 {
			return "server ID", found, err
		}
	}
	if q == "" {
		return "server ID", found, nil
	}
	if strings.Contains(q, "@") { // addresses on record may be older than our rules
		found, err = s.store.FindByEmail(ctx, q, maxFound)
		return "email address", found, err
	}
	found, err = s.store.FindByCompany(ctx, q, maxFound)
	return "company", found, err
}
