package site

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/store"
	"marketplace/shared/token"
	"marketplace/shared/web"
)

// The key of an installation is emailed again, and never shown: whoever looks over a shoulder, or has the session's
// cookie, does not get it.

// keyView is the data of key.html.
type keyView struct {
	Instance customer.Instance
	License  web.Field // of several in force
	To       web.Field // of several contacts
	One      string    // the only address; "" for a choice
	Nonce    string
	web.Marked
	Sent  string // the address to which it was sent just now; "" for none
	Lost  bool   // we do not have the text of the key
	Gone  bool   // there is no license in force
	None  bool   // no contact gets keys
	Self  string // the address of who is signed in
	Sales string
}

// keysAtMost is how many times a day contacts can have the key of one license sent again.
const keysAtMost = 5

// keys lists the licenses of an installation whose keys can be sent, the one in force first.
func (s *site) keys(i customer.Instance) (list []customer.License) {
	current, _ := i.Current(s.today())
	for _, l := range i.Licenses {
		switch {
		case !l.Valid(s.today()):
		case l.ID == current.ID:
			list = slices.Insert(list, 0, l)
		default:
			list = append(list, l)
		}
	}
	return list
}

func (s *site) keyView(r *http.Request, i customer.Instance) keyView {
	of := seen(r)
	v := keyView{Instance: i, Sales: s.mail.Sales.Email, Self: person(r), Nonce: token.Form.New()}
	v.License = web.Field{Name: "license", Label: "Which key?", Type: "radio", Required: true, Class: "rows"}
	v.To = web.Field{Name: "to", Label: "Who gets the email?", Type: "radio", Required: true, Class: "rows"}
	all := s.keys(i)
	v.Gone = len(all) == 0
	for _, l := range all {
		if l.HasKey {
			hint := "valid through " + l.Expiration.Long()
			if l.NotBefore.After(s.today()) {
				hint = "valid from " + l.NotBefore.Long() + " through " + l.Expiration.Long()
			}
			v.License.Options = append(v.License.Options, web.Option{Value: l.ID, Hint: hint,
				Label: l.Type.Name() + ", " + l.Edition.Name()})
		}
	}
	v.Lost = len(v.License.Options) == 0 && !v.Gone
	if len(v.License.Options) > 0 {
		v.License.Value = v.License.Options[0].Value
	}
	readers := customer.Readers(of.Keepers(i.Customer), customer.Keys, i.ID, s.now())
	for _, c := range readers {
		o := web.Option{Value: c.Email, Label: c.Email, Hint: c.Name}
		if input.SameMailbox(c.Email, v.Self) {
			v.To.Value = c.Email
			v.To.Options = slices.Insert(v.To.Options, 0, o)
			continue
		}
		v.To.Options = append(v.To.Options, o)
	}
	v.None = len(v.To.Options) == 0
	if len(v.To.Options) == 1 {
		v.One, v.To.Value = v.To.Options[0].Value, v.To.Options[0].Value
	}
	return v
}

// keyForm asks to whom the key is sent.
func (s *site) keyForm(w http.ResponseWriter, r *http.Request) error {
	i, err := instance(r)
	if err != nil {
		return err
	}
	v := s.keyView(r, i)
	if sent := r.URL.Query().Get("sent"); slices.ContainsFunc(v.To.Options, func(o web.Option) bool {
		return o.Value == sent
	}) {
		v.Sent = sent
	}
	return s.renderKey(w, r, v, nil)
}

func (s *site) renderKey(w http.ResponseWriter, r *http.Request, v keyView, bad []fault.Field) error {
	title, status := "Email the key again", http.StatusOK
	if v.Sent != "" {
		title = "The key is on its way"
	}
	if v.Marked = web.Mark(bad, &v.License, &v.To); len(bad) > 0 {
		title, status = "Error: "+title, http.StatusUnprocessableEntity
	}
	return s.render(w, r, status, "key.html", web.View{Title: title, Section: inOverview, Data: v})
}

// sendKey has the key emailed to one of the contacts who get keys.
func (s *site) sendKey(w http.ResponseWriter, r *http.Request) error {
	values, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	i, err := instance(r)
	if err != nil {
		return err
	}
	v := s.keyView(r, i)
	if v.Gone || v.Lost || v.None {
		return s.renderKey(w, r, v, nil)
	}
	chosen := func(f *web.Field) (value string, bad []fault.Field) {
		if len(f.Options) == 1 {
			return f.Options[0].Value, nil
		}
		value = values.Get(f.Name)
		if !slices.ContainsFunc(f.Options, func(o web.Option) bool { return o.Value == value }) {
			f.Value = ""
			return "", []fault.Field{{Name: f.Name, Msg: "Choose one of these."}}
		}
		f.Value = value
		return value, nil
	}
	id, bad := chosen(&v.License)
	email, worse := chosen(&v.To)
	if bad = append(bad, worse...); len(bad) > 0 {
		return s.renderKey(w, r, v, bad)
	}
	why, err := s.store.Suppressed(r.Context(), email)
	switch {
	case err != nil:
		return err
	case why != nil && why.Stops(mail.LicenseKey):
		return s.renderKey(w, r, v, []fault.Field{{Name: "to", Msg: "We no longer email this address, because an " +
			"email to it was not delivered or was marked as spam. Choose another contact, or write to " +
			v.Sales + "."}})
	}
	if enough, err := s.sentEnough(r.Context(), id); err != nil || enough {
		if enough {
			err = fault.New(fault.RateLimited, "This key was emailed %d times within a day. Look for it in the spam "+
				"folder, or write to %s.", keysAtMost, v.Sales)
		}
		return err
	}
	nonce := token.Form.Read(values.Get("nonce"))
	if nonce == "" {
		nonce = token.Form.New()
	}
	to := license.Contact{Email: email}
	for _, o := range v.To.Options {
		if o.Value == email {
			to.Name = o.Hint
		}
	}
	if err := s.store.SendKeyAgain(r.Context(), id, store.Customer, to, nonce); err != nil {
		return err
	}
	s.log.LogAttrs(r.Context(), slog.LevelInfo, "key sent again by a contact", slog.String("license", id))
	http.Redirect(w, r, instancePath(i)+"/key?sent="+url.QueryEscape(email), http.StatusSeeOther)
	return nil
}

// sentEnough reports whether the key of a license was sent again so often within a day that it is not sent once more.
func (s *site) sentEnough(ctx context.Context, id string) (bool, error) {
	list, err := s.store.MailsAbout(ctx, id, 100)
	n := 0
	for _, m := range list {
		if m.Kind == mail.LicenseKey && m.Resent && m.Created.After(s.now().Add(-24*time.Hour)) {
			n++
		}
	}
	return n >= keysAtMost, err
}
