package erasure

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/reference"
	"marketplace/shared/request"
	"marketplace/shared/secret"
	"marketplace/shared/store"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Own is everything on record about a person that is the person's to have: what an erasure would replace, without what
// others typed about them, which may be about others too.
type Own struct {
	Email    string       `json:"email"`
	Read     time.Time    `json:"read"` // UTC
	Contacts []OwnContact `json:"contacts,omitempty"`
	Requests []OwnRequest `json:"requests,omitempty"`
	Emails   []OwnEmail   `json:"emails,omitempty"`
	Stopped  []OwnPause   `json:"remindersPaused,omitempty"`
	// Suppressed: no email is sent to the address, since it does not exist or somebody complained.
	Suppressed bool         `json:"noEmailIsSent,omitempty"`
	Mentions   []OwnMention `json:"otherRecords,omitempty"`
	Texts      int          `json:"textsByOthers"` // that name the person; not shown
}

// OwnContact is the person as a contact of a customer.
type OwnContact struct {
	Customer  string             `json:"customer"`
	Reference string             `json:"reference"`
	Removed   license.Date       `json:"removed,omitzero"` // the day; zero: the person is a contact
	Name      string             `json:"name,omitempty"`
	Email     string             `json:"email"`
	Partner   string             `json:"partner,omitempty"`
	For       []customer.Purpose `json:"for,omitempty"`
	Since     time.Time          `json:"since"`
	Confirmed time.Time          `json:"confirmed,omitzero"`
}

// OwnRequest is a request from the person, as they sent it.
type OwnRequest struct {
	ID        string              `json:"id"`
	Reference reference.Reference `json:"reference"`
	State     request.State       `json:"state"`
	Created   time.Time           `json:"created"`
	Confirmed time.Time           `json:"confirmed,omitzero"`
	Closed    time.Time           `json:"closed,omitzero"`
	Question  string              `json:"question,omitempty"`
	Response  *request.Response   `json:"response,omitempty"`
	request.Details
}

// OwnEmail is an email to the person.
type OwnEmail struct {
	Kind   string    `json:"kind"`
	Queued time.Time `json:"queued"`
	To     string    `json:"to"`
}

// OwnPause says that the person stopped the reminders of a license.
type OwnPause struct {
	License string    `json:"license"`
	At      time.Time `json:"at"`
}

// OwnMention is a field of another record that has the address.
type OwnMention struct {
	Record string `json:"record"` // its type
	Field  string `json:"field"`
	Value  string `json:"value"`
}

// ReadOwn reads everything on record about the person behind an address. It changes nothing.
func ReadOwn(ctx context.Context, kept *store.Store, email string) (*Own, error) {
	e := New(kept, secret.Fixed(Keys{}))
	p := newPerson(email, Report{}, Keys{})
	p.sums = func(string) []string { return []string{""} } // nothing is reported by a hash
	f, err := e.find(ctx, p, nil)
	if err != nil {
		return nil, fmt.Errorf("erasure: what is on record of a person: %w", err)
	}
	own := &Own{Email: p.mailbox, Read: kept.Now().Truncate(time.Second)}
	for _, row := range f.rows {
		if err := own.add(f, row); err != nil {
			return nil, fmt.Errorf("erasure: what is on record of a person: %w", err)
		}
	}
	for _, row := range f.own {
		own.Suppressed = own.Suppressed || rowkey.Type(row.Type) == rowkey.TypeSuppression
	}
	return own, nil
}

// add adds what a row has of the person.
func (o *Own) add(f *found, row table.Row) error {
	switch rowkey.Type(row.Type) {
	case rowkey.TypeCustomer:
		return o.addContacts(f, row)
	case rowkey.TypeRequest:
		r, err := entity.Decode[request.Request](row)
		if err != nil || !f.is(r.Email) {
			return orMentions(err, o, f, row)
		}
		one := OwnRequest{ID: r.ID, Reference: r.Reference, State: r.State, Created: r.Created, Confirmed: r.Confirmed,
			Closed: r.Closed, Question: r.Question, Details: r.Details}
		if r.Response != nil && (r.Response.By == "" || f.is(r.Response.By)) {
			one.Response = r.Response
		}
		o.Requests = append(o.Requests, one)
		return nil
	case rowkey.TypeMail:
		m, err := entity.Decode[outbox.Mail](row)
		if err == nil && f.is(m.To.Email) {
			o.Emails = append(o.Emails, OwnEmail{string(m.Kind), m.Created, m.To.Email})
			return nil
		}
		return orMentions(err, o, f, row)
	case rowkey.TypeUnsubscribed:
		u, err := entity.Decode[store.Unsubscription](row)
		if err == nil && f.is(u.Email) {
			o.Stopped = append(o.Stopped, OwnPause{u.License, u.At})
		}
		return err
	case rowkey.TypeMailState, rowkey.TypeReport, rowkey.TypeLetter, rowkey.TypeIndex:
		return nil // of an email that is listed, or finds what is
	}
	return o.addMentions(f, row)
}

func orMentions(err error, o *Own, f *found, row table.Row) error {
	if err != nil {
		return err
	}
	return o.addMentions(f, row)
}

func (o *Own) addContacts(f *found, row table.Row) error {
	c, err := entity.Decode[customer.Customer](row)
	if err != nil {
		return err
	}
	add := func(contact customer.Contact, removed license.Date) {
		if f.is(contact.Email) {
			o.Contacts = append(o.Contacts, OwnContact{Customer: c.Name, Reference: string(c.Reference),
				Removed: removed, Name: contact.Name, Email: contact.Email, Partner: contact.Partner, For: contact.For,
				Since: contact.Since, Confirmed: contact.Confirmed})
		}
	}
	for _, contact := range c.Contacts {
		add(contact, license.Date{})
	}
	for _, removed := range c.Removed {
		add(removed.Contact, license.DateOf(removed.RemovedAt))
	}
	return nil
}

// addMentions adds each field of a row that has the address and nothing else, and counts the texts that name the
// person.
func (o *Own) addMentions(f *found, row table.Row) error {
	_, w, err := f.rewrite(row, func(string) bool { return false })
	if err != nil {
		return err
	}
	o.Texts += len(w.texts)
	t, err := parse(row.Data)
	if err != nil {
		return err
	}
	var walk func(t *tree, path string)
	walk = func(t *tree, path string) {
		if t.kind == '"' && f.is(t.text) {
			o.mention(OwnMention{row.Type, path, t.text})
		}
		for i, kid := range t.kids {
			at := path
			if t.kind == '{' {
				at = strings.TrimPrefix(path+"."+t.keys[i], ".")
			}
			if kid.kind == '"' && strings.ContainsAny(kid.text[:min(1, len(kid.text))], `{["`) {
				if inner, err := parse([]byte(kid.text)); err == nil { // a change on a timeline
					kid = inner
				}
			}
			walk(kid, at)
		}
	}
	walk(t, "")
	return nil
}

func (o *Own) mention(m OwnMention) {
	if !slices.Contains(o.Mentions, m) {
		o.Mentions = append(o.Mentions, m)
	}
}

// JSON returns the data as a file that people can read.
func (o *Own) JSON() ([]byte, error) {
	data, err := json.MarshalIndent(o, "", "  ")
	return append(data, '\n'), err
}
