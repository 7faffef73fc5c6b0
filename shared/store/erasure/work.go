package erasure

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"marketplace/shared/customer"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/outbox"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// unit is a piece of work: a transaction, or a few. It reads again what it changes, and returns how many rows of each
// type it changed.
type unit func(context.Context, *Eraser) (map[string]int, error)

// work finds what has to be changed. What finds the person comes last, so that a run that is cut off can be resumed. It
// counts the rows, and lists the texts that stay, in a report.
func (f *found) work(o Options, r *Report) (units []unit, err error) {
	var rest, roots, own []unit
	mails := map[string]bool{}
	for _, row := range f.rows {
		_, w, err := f.rewrite(row, o.clears)
		if err != nil {
			return nil, err
		}
		for _, text := range w.texts {
			text.Link = f.links[f.of[row.PK]]
			r.Texts = append(r.Texts, text)
		}
		if !w.dirty {
			continue
		}
		r.Rows[row.Type]++
		_, id, _ := strings.Cut(row.PK, "#")
		switch rowkey.Type(row.Type) {
		case rowkey.TypeRequest:
			roots = append(roots, f.request(o, id))
		case rowkey.TypeCustomer:
			roots = append(roots, f.customer(o, id))
		case rowkey.TypeLicense:
			rest = append(rest, f.license(o, id))
		case rowkey.TypeMail, rowkey.TypeMailState:
			mails[strings.TrimSuffix(row.SK, rowkey.StateSuffix)] = true
		default:
			rest = append(rest, f.one(o, row.Key))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(mails)) {
		units = append(units, f.mail(o, id))
	}
	for _, id := range slices.Sorted(maps.Keys(f.letters)) {
		if slices.ContainsFunc(f.letters[id], f.inLetter) {
			r.Rows[string(rowkey.TypeLetter)]++
			rest = append(rest, f.letter(id))
		}
	}
	for _, row := range f.own {
		r.Rows[row.Type]++
		own = append(own, f.remove(row))
	}
	slices.SortFunc(r.Texts, func(a, b Text) int { return strings.Compare(a.Link+a.ID, b.Link+b.ID) })
	return slices.Concat(units, rest, roots, own), nil
}

// edit rewrites an entity that has no row of its own yet as it would be in a row.
func edit[T any](p *person, o Options, key table.Key, kind rowkey.Type, v *T) error {
	after, w, err := p.rewrite(entity.Encode(key, kind, *v), o.clears)
	if err != nil || !w.dirty {
		return err
	}
	var edited T
	if err := json.Unmarshal(after.Data, &edited); err != nil {
		return fmt.Errorf("erasure: %v: %w", key, err)
	}
	*v = edited
	return nil
}

func (f *found) request(o Options, id string) unit {
	return func(ctx context.Context, e *Eraser) (map[string]int, error) {
		err := e.store.ReplaceRequest(ctx, id, func(r *request.Request) error {
			version := r.Version
			err := edit(f.person, o, rowkey.Request(id), rowkey.TypeRequest, r)
			if r.Version = version; r.State.Open() { // nobody becomes a contact who was erased
				r.Contacts = slices.DeleteFunc(r.Contacts, input.Erased)
			}
			return err
		})
		return map[string]int{string(rowkey.TypeRequest): 1}, err
	}
}

func (f *found) customer(o Options, id string) unit {
	return func(ctx context.Context, e *Eraser) (map[string]int, error) {
		err := e.store.ReplaceCustomer(ctx, id, func(c *customer.Customer) error {
			err := edit(f.person, o, rowkey.Customer(id), rowkey.TypeCustomer, c)
			c.Contacts = slices.DeleteFunc(c.Contacts, func(c customer.Contact) bool { return input.Erased(c.Email) })
			c.Removed = slices.DeleteFunc(c.Removed, func(r customer.Removed) bool { return input.Erased(r.Email) })
			return err
		})
		return map[string]int{string(rowkey.TypeCustomer): 1}, err
	}
}

func (f *found) license(o Options, id string) unit {
	return func(ctx context.Context, e *Eraser) (map[string]int, error) {
		err := e.store.ReplaceLicense(ctx, id, func(r *store.LicenseRecord) error {
			version := r.Version
			err := edit(f.person, o, rowkey.License(id), rowkey.TypeLicense, r)
			r.Version = version
			return err
		})
		return map[string]int{string(rowkey.TypeLicense): 1}, err
	}
}

// one rewrites a row that nothing else depends on.
func (f *found) one(o Options, key table.Key) unit {
	return func(ctx context.Context, e *Eraser) (changed map[string]int, err error) {
		err = entity.Retry(func() error {
			row, err := e.row(ctx, key)
			if err != nil || row == nil {
				return err
			}
			after, w, err := f.rewrite(*row, o.clears)
			if err != nil || !w.dirty {
				return err
			}
			c := e.table.Begin()
			if after.Key == key {
				c.Update(after, row.Version)
			} else {
				c.Delete(key, row.Version)
				c.Set(after)
			}
			changed = map[string]int{row.Type: 1}
			return c.Commit(ctx)
		})
		return changed, err
	}
}

// mail rewrites an email and its state together.
func (f *found) mail(o Options, id string) unit {
	return func(ctx context.Context, e *Eraser) (changed map[string]int, err error) {
		err = entity.Retry(func() error {
			changed = map[string]int{}
			before, err := e.row(ctx, rowkey.Mail(id))
			if err != nil || before == nil {
				return err
			}
			state, err := e.row(ctx, rowkey.MailState(id))
			if err != nil {
				return err
			}
			after, w, err := f.rewrite(*before, o.clears)
			dirty := w.dirty
			if state != nil && err == nil {
				var s rewriter
				*state, s, err = f.rewrite(*state, o.clears)
				if s.dirty {
					changed[state.Type]++
				}
				dirty = dirty || s.dirty
			}
			if err != nil || !dirty {
				return err
			}
			if w.dirty {
				changed[before.Type]++
			}
			c := e.table.Begin()
			if err := e.box.RewriteIn(ctx, c, *before, after, state); err != nil {
				return err
			}
			return c.Commit(ctx)
		})
		return changed, err
	}
}

// inLetter reports whether a letter names the person. To somebody else of the same name, only the address counts.
func (f *found) inLetter(l outbox.KeptLetter) bool {
	texts := []string{l.Subject, l.Greeting, l.Text, l.HTML, l.Unsubscribe, l.UnsubscribeURL, l.To.Email,
		l.ReplyTo.Email, l.ReplyTo.Name}
	for _, a := range l.Attachments {
		texts = append(texts, a.Name, string(a.Data))
	}
	if slices.ContainsFunc(texts, f.hasAddress) {
		return true
	}
	if l.Text == letterErased+"\n" { // which a name of one word may be in
		return false
	}
	return !f.hasName(l.To.Name) && slices.ContainsFunc(texts, f.hasName)
}

// letterErased is what a letter says whose text is no longer kept.
const letterErased = "This email mentioned somebody whose data was erased. Its text is no longer kept."

// letter replaces the letters of an email that name the person.
func (f *found) letter(id string) unit {
	return func(ctx context.Context, e *Eraser) (changed map[string]int, err error) {
		err = entity.Retry(func() error {
			changed = map[string]int{}
			letters, err := e.box.Letters(ctx, id)
			if err != nil {
				return err
			}
			c := e.table.Begin()
			for _, l := range letters {
				if !f.inLetter(l) {
					continue
				}
				m := mail.Message{
					ID: l.ID, Kind: l.Kind, About: l.About, To: l.To, Attempt: l.Attempt, Subject: "Text erased",
					Text: letterErased + "\n", HTML: "<p>" + letterErased + "</p>\n",
				}
				if f.is(l.To.Email) {
					m = m.AddressedTo(license.Contact{Name: Name, Email: f.address})
					m.Greeting = ""
				}
				if err := l.ReplaceIn(c, m); err != nil {
					return err
				}
				changed[string(rowkey.TypeLetter)]++
			}
			if c.Empty() {
				return nil
			}
			return c.Commit(ctx)
		})
		return changed, err
	}
}

// remove deletes a row that has the address in its key.
func (f *found) remove(row table.Row) unit {
	return func(ctx context.Context, e *Eraser) (map[string]int, error) {
		c := e.table.Begin()
		c.Delete(row.Key, table.Any)
		return map[string]int{row.Type: 1}, c.Commit(ctx)
	}
}
