package site

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail/letter"
	told "marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

// The page behind the link of a reminder. Reminders are forwarded, so the link allows one thing: to request the renewal
// of its license, with the key to the contacts on record. Whatever else has changed needs the request form, and the
// mailbox.

// openedReminder is what the link of a reminder is about.
type openedReminder struct {
	link    request.Link
	contact license.Contact // whom the reminder was sent to
	license license.License
	ended   string // why the link renews nothing any more; "" if it does
}

// reminder reads what a link is about. It is a NotFound fault if the reminder did not name the license, or offered no
// renewal of it: an evaluation has none.
func (s *site) reminder(ctx context.Context, l privateLink) (openedReminder, error) {
	m, err := s.digest(ctx, l)
	if err != nil {
		return openedReminder{}, err
	}
	if !slices.ContainsFunc(m.Named(), func(d told.Due) bool { return d.License == l.About }) {
		return openedReminder{}, noPrivateLink(nil)
	}
	recorded, err := s.store.License(ctx, l.About)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return openedReminder{}, noPrivateLink(err)
	case err != nil:
		return openedReminder{}, err
	case recorded.License.Type == license.Evaluation:
		return openedReminder{}, noPrivateLink(nil)
	}
	return openedReminder{
		link:    request.Link{Mail: m.ID, Contact: m.To.Email, License: l.About},
		contact: m.To, license: recorded.License, ended: endOf(recorded.License, license.DateOf(s.now())),
	}, nil
}

// endOf says why there is nothing to renew about a license; "" if there is.
func endOf(l license.License, today license.Date) string {
	switch {
	case l.ReplacedBy != "":
		return "We replaced this license on " + license.DateOf(l.Revoked).Long() + "."
	case !l.Revoked.IsZero():
		return "We revoked this license on " + license.DateOf(l.Revoked).Long() + "."
	case l.Successor != "":
		return "This license has already been renewed. We emailed the next key to the contacts that we have on record."
	case l.Retired:
		return "We have on record that this server is no longer in use."
	case today.After(l.Expiration):
		return "This license expired on " + l.Expiration.Long() + "."
	}
	return ""
}

// renewView is the data of renew.html.
type renewView struct {
	license.License
	Ends    string           // see site.ends
	Ended   string           // why the link renews nothing any more
	Asked   *request.Request // what came through the link before and is still open
	Contact string           // whom the reminder was sent to
	Form    string           // the request form, for everything else
	Fields  []web.Field
	web.Marked
	Sales string
}

// renew shows what the link of a reminder renews. It only reads, since mail scanners follow links.
func (s *site) renew(w http.ResponseWriter, r *http.Request) error {
	link := openedLink(r, r.PathValue("license"))
	found, err := s.reminder(r.Context(), link)
	if err != nil {
		return err
	}
	if asked, open, err := s.askedBefore(r.Context(), found); open || err != nil {
		return s.renderAsked(w, found, asked, err)
	}
	return s.renderRenewal(w, http.StatusOK, found, link, request.RenewalForm{}, nil)
}

// askedBefore reads the open request that came through the link, or another of its license and contact.
func (s *site) askedBefore(ctx context.Context, found openedReminder) (request.Request, bool, error) {
	if found.ended != "" {
		return request.Request{}, false, nil
	}
	return s.store.RequestOfLink(ctx, found.link)
}

// submitRenewal files the renewal and redirects to its page, or shows the form again with its errors.
func (s *site) submitRenewal(w http.ResponseWriter, r *http.Request) error {
	values, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	link := openedLink(r, r.PathValue("license"))
	found, err := s.reminder(r.Context(), link)
	if err != nil || found.ended != "" {
		return s.renderEnded(w, found, link, err)
	}
	f := request.RenewalForm{
		Renewal: values.Get("renewal"), Loc: values.Get("ncloc"), WantedLoc: values.Get("wantedLoc"),
		Message: values.Get("message"),
	}
	d, err := f.Accept(found.license, found.contact)
	var invalid *fault.Error
	if errors.As(err, &invalid) {
		return s.renderRenewal(w, http.StatusUnprocessableEntity, found, link, f, invalid.Fields)
	}
	filed, created, err := s.store.FileRequest(r.Context(), store.Filing{
		Details: d, Link: &found.link, Bound: found.link.Binds(d, found.license.Server),
		Zone: knownZone(values.Get(zoneField)),
	})
	switch {
	case err != nil:
		return err
	case created:
		s.log.InfoContext(r.Context(), "license request filed", "id", filed.ID, "kind", string(filed.Kind),
			"edition", string(filed.Edition), "channel", "link", "unconfirmed", filed.Unconfirmed)
	case filed.Fingerprint() != d.Fingerprint():
		return s.renderAsked(w, found, filed, nil) // perhaps somebody else's, whose private link is theirs
	}
	http.Redirect(w, r, letter.StatusPath(filed), http.StatusSeeOther)
	return nil
}

// renderRenewal shows the form.
func (s *site) renderRenewal(w http.ResponseWriter, status int, of openedReminder, link privateLink,
	f request.RenewalForm, bad []fault.Field) error {
	if of.ended != "" {
		return s.renderEnded(w, of, link, nil)
	}
	c, err := s.catalog()
	if err != nil {
		return err
	}
	v := s.renewView(of, link)
	v.Fields = renewalFields(of.license, f, c.LOCThresholds)
	var fields []*web.Field
	for i := range v.Fields {
		fields = append(fields, &v.Fields[i])
	}
	v.Marked = web.Mark(bad, fields...)
	return s.renderRenew(w, status, "Renew your license", v)
}

func (s *site) renderEnded(w http.ResponseWriter, of openedReminder, link privateLink, err error) error {
	if err != nil {
		return err
	}
	return s.renderRenew(w, http.StatusGone, "This link has ended", s.renewView(of, link))
}

func (s *site) renderAsked(w http.ResponseWriter, of openedReminder, asked request.Request, err error) error {
	if err != nil {
		return err
	}
	v := s.renewView(of, privateLink{})
	v.Asked = &asked
	return s.renderRenew(w, http.StatusOK, "Renewal requested", v)
}

func (s *site) renderRenew(w http.ResponseWriter, status int, title string, v renewView) error {
	if len(v.Errors) > 0 {
		title = "Error: " + title
	}
	return s.renderPrivate(w, status, "renew.html", web.View{Title: title, Script: zoneScript, Data: v})
}

func (s *site) renewView(of openedReminder, link privateLink) renewView {
	form, _ := nextForm(of.license)
	v := renewView{License: of.license, Ends: s.ends(of.license), Ended: of.ended, Contact: of.contact.Email,
		Form: form, Sales: s.mail.Sales.Email}
	if of.ended == "" && link.Nonce != "" {
		v.Form += "&" + link.query().Encode()
	}
	return v
}

// renewalFields are the fields of the page, with what was typed.
func renewalFields(l license.License, f request.RenewalForm, thresholds []int64) []web.Field {
	others := slices.DeleteFunc(slices.Clone(thresholds), func(n int64) bool { return n == l.MaxLoc })
	options := wantedOptions(others)
	options[0].Label = "Select the lines of code"
	return []web.Field{
		{Name: "renewal", Label: "How should we renew it?", Type: "radio", Value: strings.TrimSpace(f.Renewal),
			Required: true, Class: "wide", Options: []web.Option{
				{Value: string(request.SameLines), Label: "The same license",
					Hint: "Up to " + license.Lines(l.MaxLoc) + " lines of code, as today."},
				{Value: string(request.OtherLines), Label: "More or fewer lines of code"},
			}},
		{Name: "wantedLoc", Label: "Lines of code to license", Type: "select", Value: f.WantedLoc, Options: options,
			Class: "for-other-lines", Hint: "Leave room to grow: a license ends at its limit."},
		{Name: "ncloc", Label: "Lines of code today", Value: f.Loc, Optional: true, InputMode: "numeric",
			Hint: "Total analysed by the server, for example 120000."},
		{Name: "message", Label: "Message", Value: f.Message, Optional: true, Type: "textarea", Rows: 3, Class: "wide"},
	}
}
