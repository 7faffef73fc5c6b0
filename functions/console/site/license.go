package site

import (
	"net/http"
	"strings"

	"marketplace/shared/license"
	"marketplace/shared/reminder"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

type licenseView struct {
	license.License
	Badge      badge
	Addresses  []addressRow // of its contacts
	Unreached  bool         // mail reaches none of them
	Reminder   string       // when the next reminder is due, or why none is
	Reminded   int          // months before the expiration of the newest reminder that was queued; 0: none
	Acts       bool         // who looks may change something
	Basis      basis
	Recipients []web.Option // to whom the key can be sent again
	Sendable   bool
	Revocable  bool
	Tailorable bool          // packages of its own can be made
	Tailored   []packageLink // those that there are
	Beside     string        // the address that leads to the server that Mirrors names
	Trouble    *trouble
	Done       string
	SameServer related
	Mails      []mailRow
	Timeline   []eventView
	events     []store.Event // what Timeline tells
}

// doneToLicense says what was just done.
func doneToLicense(path string) string {
	switch path {
	case "send-key":
		return "The key goes to the contact once more."
	case "mute":
		return "The customer is not reminded any more."
	case "unmute":
		return "The customer is reminded again."
	case "issue":
		return "The license is issued, and its key is on its way to the customer."
	case "revoke":
		return "The license is revoked."
	case "lift":
		return lifted
	}
	return ""
}

// license shows a license.
func (s *site) license(w http.ResponseWriter, r *http.Request) error {
	v, err := s.licenseView(r)
	if err != nil {
		return err
	}
	v.Done = doneToLicense(r.URL.Query().Get("done"))
	return s.showLicense(w, r, http.StatusOK, v)
}

func (s *site) showLicense(w http.ResponseWriter, r *http.Request, status int, v licenseView) error {
	title := v.Organization + ": " + v.Type.Name() + " license"
	if status != http.StatusOK {
		title = "Not taken: " + title
	}
	return s.render(w, r, status, "license.html", inLicenses, title, v)
}

// licenseView gathers what the page of the license in the address shows.
func (s *site) licenseView(r *http.Request) (v licenseView, err error) {
	ctx := r.Context()
	recorded, err := s.recorded(r)
	if err != nil {
		return v, err
	}
	l := recorded.License
	v.License = l
	if v.events, err = s.store.LicenseTimeline(ctx, l.ID); err != nil {
		return v, err
	}
	v.Badge = licenseBadge(l, s.today())
	v.Reminder, v.Reminded = nextReminder(recorded, s.today()), int(recorded.Reminded)
	v.Acts = acts(r)
	v.Basis = basis{recorded.Version, lastOf(v.events)}
	v.Sendable = v.Acts && l.KeyText != "" && unsendable(l, s.today()) == ""
	v.Revocable = v.Acts && l.Revoked.IsZero()
	v.Tailorable = v.Revocable && s.generator.Packager != nil
	v.Tailored, v.Beside = s.packagesOf(l), searchFor(string(l.Mirrors))
	reachable := false
	if v.Addresses, reachable, err = s.addressRows(r, l.Contacts); err != nil {
		return v, err
	}
	v.Unreached = !reachable && !reminder.Over(l, s.today())
	for _, c := range l.Contacts {
		v.Recipients = append(v.Recipients, web.Option{Value: c.Email, Label: c.Email, Hint: c.Name})
	}
	v.Timeline = timelineView(v.events)
	if v.Mails, err = s.mailsAbout(r, l.ID); err != nil {
		return v, err
	}
	found, err := s.store.FindByDataset(ctx, l.Server, maxRelated)
	v.SameServer = s.related(found, map[string]bool{l.ID: true})
	return v, err
}

// recorded reads the license in the address. Our own IDs are found in capitals as well.
func (s *site) recorded(r *http.Request) (store.LicenseRecord, error) {
	id := r.PathValue("id")
	recorded, err := s.store.License(r.Context(), id)
	if lower := strings.ToLower(id); err != nil && lower != id {
		if again, err := s.store.License(r.Context(), lower); err == nil {
			return again, nil
		}
	}
	return recorded, err
}

func licenseBadge(l license.License, today license.Date) badge {
	if l.ReplacedBy != "" {
		return badge{"Replaced", "bad"}
	}
	return standing(store.Summary{Revoked: l.Revoked, Expiration: l.Expiration, NotBefore: l.NotBefore, Successor: l.Successor}, today)
}

// nextReminder is when the customer is reminded next, or why that does not happen.
func nextReminder(r store.LicenseRecord, today license.Date) string {
	switch l := r.License; {
	case !l.Revoked.IsZero():
		return "None: the license was revoked"
	case today.After(l.Expiration):
		return "None: the license has expired"
	case l.Muted:
		return "None: muted"
	case l.Successor != "":
		return "None: another license follows"
	case r.NextReminder.IsZero():
		return "None is left"
	}
	return r.NextReminder.Long()
}

// key hands the license key out as a file, for whoever cannot copy it from the page.
func (s *site) key(w http.ResponseWriter, r *http.Request) error {
	recorded, err := s.recorded(r)
	if err != nil {
		return err
	}
	if recorded.License.KeyText == "" {
		return noKey(recorded.License)
	}
	w.Header().Set("Content-Type", "text/plain; charset=us-ascii")
	w.Header().Set("Content-Disposition", `attachment; filename="license-`+recorded.License.ID+`.txt"`)
	_, err = w.Write([]byte(recorded.License.KeyText + "\n"))
	return err
}
