package site

import (
	"context"
	"maps"
	"net/http"
	"net/url"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	told "marketplace/shared/mail/notice"
	"marketplace/shared/request"
	"marketplace/shared/store/outbox"
	"marketplace/shared/token"
)

// privateLink is a link in one of our emails to a contact, as it arrives.
type privateLink struct {
	About string // the ID of the license, request or customer
	Mail  string // the ID of the email, or the end of it: notice.Notice.What
	Nonce string
}

// openedLink returns the link that opened a page about a license or request.
func openedLink(r *http.Request, about string) privateLink {
	q := r.URL.Query()
	return privateLink{about, q.Get("mail"), q.Get("token")}
}

// maxMail is longer than the ID of an email.
const maxMail = 200

// privateMail reads the email of a link. What is not the link of an email of the kind is a NotFound fault that does not
// say what is wrong with it.
func (s *site) privateMail(ctx context.Context, l privateLink, kind mail.Kind, nonce token.Kind) (outbox.Mail, error) {
	if !license.ValidID(l.About) || len(l.Mail) > maxMail {
		return outbox.Mail{}, noPrivateLink(nil)
	}
	m, err := s.store.Mail(ctx, l.About, l.Mail)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return outbox.Mail{}, noPrivateLink(err)
	case err != nil:
		return outbox.Mail{}, err
	case m.Kind != kind, m.About != l.About, !nonce.Same(m.Nonce, nonce.Read(l.Nonce)):
		return outbox.Mail{}, noPrivateLink(nil)
	}
	return m, nil
}

// digest reads the reminder whose link was opened, with whatever license the link is about. The link of a reminder that
// was sent twice names the first email, so a license that the second named counts as named.
func (s *site) digest(ctx context.Context, l privateLink) (outbox.Mail, error) {
	l.About = told.AboutID(told.Linked(l.Mail))
	m, err := s.privateMail(ctx, l, mail.LicenseExpiring, token.Renewal)
	if err != nil || len(m.State.Omitted) == 0 {
		return m, err
	}
	again, err := s.store.Mail(ctx, m.About, m.Repeated().ID)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return m, nil
	case err != nil:
		return outbox.Mail{}, err
	}
	m.State.Omitted = maps.Clone(m.State.Omitted)
	for _, due := range again.Named() {
		delete(m.State.Omitted, due.License)
	}
	return m, nil
}

func noPrivateLink(err error) error {
	return fault.Wrap(fault.NotFound, err,
		"This link does not work. It may be incomplete: copy all of it from our email.")
}

// carriedLink returns the reminder's link that the request form was opened from: its page passes it on, since something
// other than the license's lines of code has changed.
func carriedLink(values url.Values) privateLink {
	return privateLink{values.Get("license"), values.Get("mail"), values.Get("token")}
}

// query returns the parameters that carry the link to the request form.
func (l privateLink) query() url.Values {
	return url.Values{"license": {l.About}, "mail": {l.Mail}, "token": {l.Nonce}}
}

// reminderLink returns what a carried link says about a request; nil if it is none, or has ended: whether it works is
// told to nobody.
func (s *site) reminderLink(ctx context.Context, carried privateLink) (*request.Link, error) {
	if carried.Nonce == "" {
		return nil, nil
	}
	found, err := s.reminder(ctx, carried)
	switch {
	case fault.KindOf(err) == fault.NotFound, err == nil && found.ended != "":
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &found.link, nil
}
