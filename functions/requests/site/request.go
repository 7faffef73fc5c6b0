package site

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail/letter"
	"marketplace/shared/request"
	"marketplace/shared/token"
	"marketplace/shared/web"
)

type (
	chooseView    struct{ Editions []editionCard }
	communityView struct{ Query string } // of links
)

// chooseEdition asks visitors without an edition for one.
func (s *site) chooseEdition(w http.ResponseWriter, r *http.Request) error {
	c, err := s.catalog()
	if err != nil {
		return err
	}
	q := r.URL.Query()
	return s.renderPublic(w, "choose.html",
		web.View{Title: "Request a license", Query: linkQuery(q), Data: chooseView{cards(c, formQuery(q))}})
}

// requestForm shows the form for an edition, prefilled from the link.
func (s *site) requestForm(w http.ResponseWriter, r *http.Request) error {
	edition := license.Edition(r.PathValue("edition"))
	switch {
	case edition == license.Community:
		q := linkQuery(r.URL.Query())
		return s.renderPublic(w, "community.html",
			web.View{Title: "No license needed", Query: q, Data: communityView{q}})
	case !edition.Valid():
		return redirectToEdition(w, r, "/request/", r.PathValue("edition"))
	}
	f := prefill(r.URL.Query(), edition)
	f.IdempotencyKey = token.Form.New()
	c, err := s.catalog()
	if err != nil {
		return err
	}
	f.WantedLoc = smallestAbove(f.Loc, c)
	v := s.newFormView(f, nil, c.LOCThresholds)
	v.FromServer = f.Server != "" || f.Loc != ""
	v.Query, v.Link = linkQuery(r.URL.Query()), carriedLink(r.URL.Query())
	if v.Link.Nonce != "" {
		w.Header().Set("Referrer-Policy", "strict-origin")
	}
	// A browser that goes back shows its copy with the same key, so sending the form again makes no second request.
	w.Header().Set("Cache-Control", "private, no-cache")
	return s.renderForm(w, http.StatusOK, v)
}

func (s *site) renderForm(w http.ResponseWriter, status int, v formView) error {
	v.Sales, v.Office = s.mail.Sales.Email, s.office()
	title := "Request a license: " + v.Edition.Name()
	if status != http.StatusOK {
		title = "Error: " + title
	}
	return s.pages.Render(w, status, "request.html", web.View{
		Title: title, Private: true, Query: v.Query, Script: zoneScript, Data: v,
	})
}

// submitForm files the request and redirects to its page, or shows the form again with its errors.
func (s *site) submitForm(w http.ResponseWriter, r *http.Request) error {
	edition := license.Edition(r.PathValue("edition"))
	if !edition.Valid() {
		return unknownEdition()
	}
	values, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	if edition == license.Community {
		return fault.New(fault.Invalid, "The Community Edition needs no license, so there is nothing to request.")
	}
	f, bad := parseForm(values, edition)
	from := byForm
	if strings.Join(values[honeypot], "") != "" {
		from = byTrap
	}
	link, err := s.reminderLink(r.Context(), carriedLink(values))
	if err != nil {
		return err
	}
	filed, _, err := s.fileRequest(r.Context(), f, bad, from, link)
	var invalid *fault.Error
	switch {
	case err == nil:
		http.Redirect(w, r, letter.StatusPath(filed), http.StatusSeeOther)
		return nil
	case errors.As(err, &invalid) && len(invalid.Fields) > 0:
		return s.renderFormAgain(w, f, invalid.Fields, carriedLink(values))
	}
	return err
}

// renderFormAgain shows the form with everything that was typed, and its errors. It replaces a key that is too long.
func (s *site) renderFormAgain(w http.ResponseWriter, f request.Form, bad []fault.Field, link privateLink) error {
	if f.IdempotencyKey == "" || len(f.IdempotencyKey) > request.MaxKey {
		f.IdempotencyKey = token.Form.New()
	}
	c, err := s.catalog()
	if err != nil {
		return err
	}
	v := s.newFormView(f, bad, c.LOCThresholds)
	v.Query, v.Link = linkQuery(url.Values{"serverId": {f.Server}, "ncloc": {f.Loc}}), link
	return s.renderForm(w, http.StatusUnprocessableEntity, v)
}
