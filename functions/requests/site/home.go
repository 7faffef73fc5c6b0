package site

import (
	"io"
	"net/http"

	"marketplace/catalog"
	"marketplace/shared/license"
	"marketplace/shared/web"
)

// cachePublic lets shared caches keep a page that is the same for everyone.
const cachePublic = "public, max-age=300, stale-while-revalidate=86400"

// cacheBriefly is for a page that says what is true today only. What it says is the same for everyone.
const cacheBriefly = "public, max-age=300"

type homeView struct {
	Editions []editionCard
	Newest   string // version of the product
	LTS      string // newest version with long-term support; "" for none
	Query    string // of links
	Sales    string
	Office   officeView
	Search   searchView // leads to the comparison of the editions
}

// editionCard is an edition in a list.
type editionCard struct {
	Key, Name, Text string
	Languages       int
	HasPackage      bool
	Query           string // of links: "?serverId=…"; "" for none
}

func (s *site) home(w http.ResponseWriter, r *http.Request) error {
	c, err := s.catalog()
	if err != nil {
		return err
	}
	q := linkQuery(r.URL.Query())
	view := homeView{Newest: c.Newest().Version, Query: q, Sales: s.mail.Sales.Email, Office: s.office(),
		LTS: newestLTS(c), Editions: cards(c, q),
		Search: searchView{Keep: serverFields(r.URL.Query())}}
	if view.Office.Back != "" {
		w.Header().Set("Cache-Control", cacheBriefly)
	}
	return s.renderPublic(w, "home.html", web.View{
		Title:       s.brand.Product + " editions and licenses",
		Description: "Compare the " + s.brand.Product + " editions, download their packages, and request a license.",
		Query:       q,
		Data:        view,
	})
}

// officeView says when the office is open.
type officeView struct {
	Week string // "Monday to Friday, 09:00–17:00 (Zurich time)"
	Back string // while it is closed for a day or more, when it opens again: "Monday 28 Dec 2026, 09:00"
}

func (s *site) office() officeView {
	now, hours := s.now(), s.mail.Hours
	v := officeView{Week: hours.Week(now)}
	if back, away := hours.Away(now); away {
		v.Back = back.In(hours.Zone()).Format("Monday 02 Jan 2006, 15:04")
	}
	return v
}

// renderPublic shows a page that is the same for everyone except for the server in its links. With a server, shared
// caches do not keep it and search engines do not list it.
func (s *site) renderPublic(w http.ResponseWriter, page string, v web.View) error {
	if h := w.Header(); v.Query == "" && h.Get("Cache-Control") != cacheBriefly {
		h.Set("Cache-Control", cachePublic)
	}
	v.Private = v.Private || v.Query != ""
	return s.pages.Render(w, http.StatusOK, page, v)
}

// cards lists the editions of the catalog from the smallest to the largest.
func cards(c *catalog.Catalog, query string) (list []editionCard) {
	for _, key := range license.Editions {
		if e, ok := c.Edition(string(key)); ok {
			list = append(list, editionCard{
				Key: e.Key, Name: e.Name, Text: e.TextDescription, Languages: len(e.Languages),
				HasPackage: len(e.Plugins) > 0, Query: query,
			})
		}
	}
	return list
}

// termsPath is the page of the terms, which leads to the vendor's own if there are any.
const termsPath = "/terms"

type termsView struct{ Sales string }

func (s *site) terms(w http.ResponseWriter, r *http.Request) error {
	if s.brand.TermsURL != "" {
		http.Redirect(w, r, s.brand.TermsURL, http.StatusFound)
		return nil
	}
	return s.renderPublic(w, "terms.html", web.View{
		Title: "Terms and conditions for packages", Query: linkQuery(r.URL.Query()),
		Data: termsView{s.mail.Sales.Email},
	})
}

func health(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err := io.WriteString(w, "ok\n")
	return err
}

// robots keeps search engines away from pages that belong to one customer.
func robots(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", cachePublic)
	_, err := io.WriteString(w, "User-agent: *\nDisallow: /request/\nDisallow: /requests/\nDisallow: /renew/\n"+
		"Disallow: /answer/\nDisallow: /reminders/\nDisallow: /contacts/\nDisallow: /api/\n")
	return err
}
