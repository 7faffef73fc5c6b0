package letter

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"slices"
	"strings"

	"marketplace/catalog"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/request"
)

// Call is the call to the provider that a letter is written for.
type Call struct {
	Attempt int // the number of the call, from 1: mail.Message.Attempt
	// MaybeTwice: an earlier call ended without a clear answer, so that the recipient may have the letter already. The
	// letter says so.
	MaybeTwice bool
}

// With returns Write with the catalog of the moment. Without it, letters with keys are not written: they would have
// keys in place of names. Letters about a request leave out what it has.
func (w Writer) With(catalogs func() (*catalog.Catalog, error)) func(notice.Notice, notice.Records, Call) (
	mail.Message, error) {
	return func(n notice.Notice, r notice.Records, call Call) (mail.Message, error) {
		var c *catalog.Catalog
		ours := n.Kind.ToSales() || n.Kind.ToColleague()
		aboutRequest := !n.Kind.AboutLicense() && !n.Kind.AboutCustomer() && !n.Kind.AboutSignIn()
		if n.Kind == mail.LicenseKey || aboutRequest && !ours {
			var err error
			if c, err = catalogs(); err != nil && n.Kind == mail.LicenseKey {
				return mail.Message{}, err
			}
		}
		return w.Write(n, r, c, call)
	}
}

const maybeTwice = "If you have received this email before, you can ignore this copy. " +
	"We sent it again because we could not tell whether the earlier one reached you."

// Write writes the letter of a notice from what is on record. The caller has made sure that the notice has a point
// (notice.Notice.Pointless). c has the names of languages, the addresses of packages, and how many lines of code
// licenses allow; nil if there is no catalog.
//
// A kind that this version does not know, an invalid notice, missing records and a key that the letter would alter are
// errors. They name the notice's kind and no address.
func (w Writer) Write(n notice.Notice, r notice.Records, c *catalog.Catalog, call Call) (mail.Message, error) {
	w.call, w.catalog = call, c
	m, err := w.write(n, r, c)
	if err == nil {
		_, err = m.To.Mailbox()
	}
	if err != nil {
		return mail.Message{}, fmt.Errorf("letter: %s: %w", n.Kind, err)
	}
	m.ID, m.About = n.ID, n.About
	return m, nil
}

func (w Writer) write(n notice.Notice, r notice.Records, c *catalog.Catalog) (mail.Message, error) {
	if n.About == "" || notice.AboutID(n.ID) != n.About || n.ID == n.About {
		return mail.Message{}, errors.New("the notice has no ID, or that of another subject")
	}
	if n.Kind.ToContacts() {
		return w.toContacts(n, r)
	}
	switch n.Kind {
	case mail.LicenseKey:
		return w.key(n, r, c)
	case mail.LicenseExpiring:
		return w.LicensesExpiring(n, r)
	case mail.RemindersStopped:
		return w.RemindersStopped(n, r)
	case mail.LicenseUnreached, mail.LicenseNextKey:
		return w.aboutLicense(n, r)
	case mail.RequestUnconfirmed:
		return w.unconfirmed(n, r)
	case mail.RequestsToConfirm, mail.RequestAsk, mail.RequestAnswered, mail.RequestsOfDomain:
		return w.asking(n, r)
	case mail.ErasureAsked:
		return w.ErasureAsked(n, r)
	case mail.RequestLate, mail.RequestLateSales:
		return w.late(n, r)
	case mail.SignInLink:
		return w.SignInLink(n, r), nil
	}
	return w.aboutRequest(n, r.Request)
}

// key delivers the keys that are still worth having.
func (w Writer) key(n notice.Notice, r notice.Records, c *catalog.Catalog) (mail.Message, error) {
	if r.Today.IsZero() {
		return mail.Message{}, errNoDay
	}
	for _, id := range n.Licenses {
		if _, err := licenseOf(r, id); err != nil {
			return mail.Message{}, err
		}
	}
	usable := slices.DeleteFunc(notice.Usable(r.Licenses, r.Today), func(l license.License) bool {
		return !slices.Contains(n.Licenses, l.ID)
	})
	if len(usable) == 0 {
		return mail.Message{}, errors.New("no key is worth having any more")
	}
	m := w.LicenseKey(n.ID, Delivery{
		To: n.To, Licenses: usable, Again: n.Resent, References: References{r.Customer, r.Contracts},
		ProductVersion: r.Request.ProductVersion, Catalog: c,
	})
	for _, l := range usable {
		if err := checkKey(m, l); err != nil {
			return mail.Message{}, err
		}
	}
	return m, nil
}

// checkKey makes sure that the letter has the key of a license as it is on record: attached, and as a line of the text
// and of the HTML.
func checkKey(m mail.Message, l license.License) error {
	attached := func(a mail.Attachment) bool {
		return a.Name == keyFile(l) && bytes.Equal(a.Data, []byte(l.KeyText+"\n"))
	}
	switch {
	case l.KeyText == "":
		return fmt.Errorf("license %s has no key on record", l.ID)
	case strings.ContainsAny(l.KeyText, "\r\n"),
		!slices.ContainsFunc(m.Attachments, attached),
		!strings.Contains(m.Text, "\n"+l.KeyText+"\n"),
		!strings.Contains(html.UnescapeString(m.HTML), ">"+l.KeyText+"<"):
		return fmt.Errorf("the letter altered the key of license %s", l.ID)
	}
	return nil
}

var errNoDay = errors.New("the records are of no day")

// licenseOf returns a license of the records.
func licenseOf(r notice.Records, id string) (license.License, error) {
	i := slices.IndexFunc(r.Licenses, func(l license.License) bool { return l.ID == id })
	if i < 0 {
		return license.License{}, fmt.Errorf("license %s is not in the records", id)
	}
	return r.Licenses[i], nil
}

func (w Writer) aboutLicense(n notice.Notice, r notice.Records) (mail.Message, error) {
	l, err := licenseOf(r, n.About)
	if err != nil {
		return mail.Message{}, err
	}
	named := References{r.Customer, r.Contracts}
	if n.Kind == mail.LicenseUnreached {
		return w.LicenseUnreached(l, r.Contacts, named), nil
	}
	switch {
	case r.Today.IsZero():
		return mail.Message{}, errNoDay
	case n.Kind == mail.LicenseNextKey && r.ContractLast.IsZero():
		return mail.Message{}, fmt.Errorf("the contract of license %s ends with it", l.ID)
	case n.Kind == mail.LicenseNextKey:
		return w.LicenseNextKey(n.ID, l, r.Today, r.ContractLast, named), nil
	}
	return mail.Message{}, fmt.Errorf("there is no letter of kind %s", n.Kind)
}

func (w Writer) unconfirmed(n notice.Notice, r notice.Records) (mail.Message, error) {
	var list []request.Summary
	for _, r := range r.Requests {
		if r.Unconfirmed && r.State.Open() && slices.Contains(n.Requests, r.ID) {
			list = append(list, r.Summary())
		}
	}
	if len(list) == 0 {
		return mail.Message{}, errors.New("no unconfirmed request is in the records")
	}
	return w.RequestsUnconfirmed(list, r.Today), nil
}

// aboutRequest writes what sales wrote to the address on record, since it may have been corrected after the notice.
func (w Writer) aboutRequest(n notice.Notice, r request.Request) (mail.Message, error) {
	write := map[mail.Kind]func(string, request.Request) mail.Message{
		mail.RequestReceived: func(id string, r request.Request) mail.Message {
			return w.RequestReceived(id, r).AddressedTo(n.To)
		},
		mail.RequestNew:       w.RequestNew,
		mail.RequestQuestion:  w.RequestQuestion,
		mail.RequestRejected:  w.RequestRejected,
		mail.RequestWithdrawn: w.RequestWithdrawn,
	}[n.Kind]
	switch {
	case n.Kind == mail.RequestUpdated && r.ID == n.About:
		return w.RequestUpdated(n, r)
	case write == nil:
		return mail.Message{}, errors.New("this version does not know the kind of notice")
	case r.ID != n.About:
		return mail.Message{}, fmt.Errorf("request %s is not in the records", n.About)
	}
	if n.Kind == mail.RequestWithdrawn && n.Author == notice.ByCustomer {
		return w.RequestCancelled(n.ID, r), nil
	}
	r.Question, r.Reason = n.Text, n.Text
	return write(n.ID, r), nil
}
