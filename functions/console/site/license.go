package site

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/store"
	"marketplace/shared/store/search"
	"marketplace/shared/web"
)

type licenseView struct {
	license.License
	Badge            badge
	Request          mention // that it answers
	Successor        mention
	ReplacedBy       mention
	Terms            termsView
	Addresses        []addressRow // of its contacts
	Unreached        bool         // none of them can be reached by email
	Reminders        reminderView
	Pause            pauseForm
	CanEdit          bool // the viewer may change the license
	Snapshot         snapshot
	Recipients       []web.Option // contacts that the key can be resent to
	Sendable         bool
	Revocable        bool
	Customer         customer.Customer
	Contract         *customer.Contract // nil: none
	Instance         customer.Instance
	Production       *customer.Instance // that the instance mirrors; nil: none, or not known
	CanBuildPackages bool               // custom packages can be built, and differ from the edition's
	Error            *formError
	Done             string
	Next             *nextView // after a license was issued for a request
	SameServer       related
	Mails            []mailRow
	Timeline         []eventView
	Earlier          bool          // the customer's timeline has more about it
	events           []store.Event // shown as Timeline
}

// doneToLicense returns the message after an action.
func doneToLicense(path string) string {
	switch path {
	case "send-key":
		return "The key will be emailed to the customer shortly."
	case "mute":
		return "Reminders paused."
	case "unmute":
		return "Reminders resumed."
	case "resubscribe":
		return "Reminders to the contact resumed."
	case "issue":
		return "License issued. The key will be emailed to the customer shortly."
	case "revoke":
		return "License revoked."
	}
	return cmp.Or(doneResuming(path), doneToMail(path))
}

// license shows a license.
func (s *site) license(w http.ResponseWriter, r *http.Request) error {
	v, err := s.licenseView(r, r.URL.Query().Get("done"))
	if err != nil {
		return err
	}
	return s.showLicense(w, r, http.StatusOK, v)
}

func (s *site) showLicense(w http.ResponseWriter, r *http.Request, status int, v licenseView) error {
	title := v.Organization + ": " + v.Type.Name() + " license"
	if status != http.StatusOK {
		title = "Not saved: " + title
	}
	return s.render(w, r, status, "license.html", inLicenses, title, v)
}

// licenseView reads what the page of the license in the address shows. done is the action before; "" for none. After a
// license was issued, the page offers the next request.
func (s *site) licenseView(r *http.Request, done string) (v licenseView, err error) {
	recorded, err := s.licenseRecord(r)
	if err != nil {
		return v, err
	}
	l := recorded.License
	v.License, v.CanEdit, v.Done = l, canEdit(r), doneToLicense(done)
	about, successor, replacement := requestOf(l.Request), licenseOf(l.Successor), licenseOf(l.ReplacedBy)
	var words vocabulary
	var sameServer search.Found
	var account *customer.Account
	var unsubscribed []store.Unsubscription
	g, ctx := errgroup.WithContext(r.Context())
	read(g, &words, func() (_ vocabulary, err error) {
		if v.events, v.Earlier, err = s.store.LicenseTimeline(ctx, l); err != nil {
			return vocabulary{}, err
		}
		return s.vocabulary(r.WithContext(ctx), v.events, about, successor, replacement)
	})
	read(g, &v.Addresses, func() (_ []addressRow, err error) {
		if account, err = s.store.Account(ctx, l.Customer); err != nil {
			return nil, err
		}
		return s.addressRows(ctx, contactsOf(account, l))
	})
	read(g, &v.Mails, func() ([]mailRow, error) { return s.mailsAbout(ctx, r, l.ID, "/console/licenses/"+l.ID) })
	read(g, &unsubscribed, func() ([]store.Unsubscription, error) { return s.store.Unsubscribed(ctx, l.ID) })
	g.Go(func() error { return s.readReminders(ctx, recorded, &v.Reminders) })
	read(g, &sameServer, func() (search.Found, error) { return s.index.ByServer(ctx, string(l.Server), maxRelated) })
	if done == "issue" && l.Request != "" {
		read(g, &v.Next, func() (*nextView, error) {
			asked, err := s.store.Request(ctx, l.Request)
			if err != nil {
				return nil, err
			}
			return s.next(ctx, r, asked.Summary())
		})
	}
	if err := g.Wait(); err != nil {
		return v, err
	}
	v.Customer, v.Contract = account.Customer, account.Contract(l.Contract)
	if i := account.Instance(l.Instance); i != nil {
		v.Instance, v.Production = *i, account.Instance(i.Production)
	}
	v.Badge = s.licenseBadge(store.SummaryOf(l))
	v.addReminders(s, words.colleagues, unsubscribed)
	v.Snapshot = snapshot{recorded.Version, lastOf(v.events)}
	v.Sendable = v.CanEdit && l.KeyText != "" && whyKeyNotSent(l, s.today()) == ""
	v.Revocable = v.CanEdit && l.Revoked.IsZero()
	v.CanBuildPackages = v.Revocable && l.Bridges == "" && s.generator.Packager != nil &&
		s.packagesDiffer(r.Context(), l)
	reached := slices.ContainsFunc(v.Addresses, func(a addressRow) bool { return a.reached })
	v.Unreached = !reached && l.Bridges == "" && !s.store.Policy().Over(l, s.today())
	for _, c := range customer.Readers(account.Keepers(l.Customer), customer.Keys, l.Instance, s.now()) {
		v.Recipients = append(v.Recipients, web.Option{Value: c.Email, Label: c.Email, Hint: c.Name})
	}
	v.Request, v.Successor, v.ReplacedBy = words.of(about), words.of(successor), words.of(replacement)
	v.Terms = termsOf(l, words)
	v.Terms.Packages = s.packagesOf(l)
	if !v.CanEdit {
		for i := range v.Terms.Packages {
			v.Terms.Packages[i].URL = "" // viewers download nothing
		}
	}
	if v.Production != nil {
		v.Terms.StagingFor = v.Production.Server()
	}
	v.Timeline = timelineView(v.events, words)
	v.SameServer = s.related(r, sameServer, map[string]bool{l.Instance: true})
	return v, nil
}

// contactsOf lists the contacts of a license's customer who speak for its instance, then those of the one that it was
// merged into.
func contactsOf(a *customer.Account, l license.License) (list []license.Contact) {
	for _, of := range a.Keepers(l.Customer) {
		for _, c := range of.Contacts {
			known := func(have license.Contact) bool { return input.SameMailbox(have.Email, c.Email) }
			speaks := c.IsFor(customer.Keys, l.Instance) || c.IsFor(customer.Renewals, l.Instance)
			if speaks && !slices.ContainsFunc(list, known) {
				list = append(list, license.Contact{Name: c.Name, Email: c.Email})
			}
		}
	}
	return list
}

// licenseRecord reads the license in the address. Our own IDs are found in capitals too.
func (s *site) licenseRecord(r *http.Request) (store.LicenseRecord, error) {
	id := r.PathValue("id")
	found, err := s.store.Licenses(r.Context(), id, strings.ToLower(id))
	switch {
	case err != nil:
		return store.LicenseRecord{}, err
	case len(found) == 0:
		return store.LicenseRecord{}, fault.New(fault.NotFound, "There is no license %s.", id)
	}
	return found[0], nil
}
