package generator

import (
	"context"
	"errors"
	"slices"

	"marketplace/shared/fault"
)

// Confirmation is what an operator confirms of a draft.
type Confirmation struct {
	Digest string // of the draft that the operator reviewed
	Codes  []Code // of the warnings that the operator confirmed
	By     string // the operator's email address
}

// NotIssued is returned if the operator can fix what prevented the issue. Nothing was issued.
type NotIssued struct {
	Draft   *Draft // the draft as it is now, to show with the error
	Changed bool   // Draft differs from the draft that was reviewed
	Err     error  // why issuing failed; nil: Changed, or not every warning was confirmed
}

// PartlyIssued is returned if an issue that takes several transactions ended between them. What is missing is what the
// instances of the contract still lack (Source.Contract).
type PartlyIssued struct {
	Customer, Contract string // IDs
	Issued, Of         int    // licenses; Of is 0 if that is not known any more
	Err                error  // why it ended; nil: the issue was found like this
}

func (e *PartlyIssued) Error() string {
	if e.Err != nil {
		return "generator: partly issued: " + e.Err.Error()
	}
	return "generator: partly issued"
}

func (e *PartlyIssued) Unwrap() error { return e.Err }

func (e *NotIssued) Error() string {
	switch {
	case e.Err != nil:
		return e.Err.Error()
	case e.Changed:
		return "generator: the draft changed since the review"
	}
	return "generator: not every warning was confirmed"
}

func (e *NotIssued) Unwrap() error { return e.Err }

// attempts is how often Issue works a draft out anew while records change that do not change what is issued.
const attempts = 5

// Issue issues the licenses of a form as the operator reviewed them; the first license has the form's ID. The same form
// sent again issues nothing more. With any error but *PartlyIssued, nothing was issued and nothing is emailed. It
// is *NotIssued if the form is wrong, if the draft changed since the review, if a warning was not confirmed, with a
// Forbidden fault if nobody who may has asked for it (Draft.Barred), and, with an Unavailable fault, if a key or a
// package could not be made; otherwise it is a fault of Draft.
func (g *Generator) Issue(ctx context.Context, s Source, f Form, c Confirmation) error {
	if done, err := g.issued(ctx, f.ID); done || err != nil {
		return err
	}
	for range attempts {
		d, err := g.Draft(ctx, s, f)
		if err == nil {
			err = d.issue(ctx, c)
		} else if d != nil {
			err = &NotIssued{Draft: d, Err: err}
		}
		if err == nil {
			return nil
		}
		// What failed may be this very issue, sent twice.
		if done, again := g.issued(ctx, f.ID); done && again == nil {
			return nil
		}
		if _, partly := errors.AsType[*PartlyIssued](err); partly || d == nil || fault.KindOf(err) != fault.Conflict {
			return err
		}
	}
	return g.reviewAgain(ctx, s, f)
}

// reviewAgain returns the draft anew as the error of an issue during which a record changed.
func (g *Generator) reviewAgain(ctx context.Context, s Source, f Form) error {
	d, err := g.Draft(ctx, s, f)
	if d == nil {
		return err
	}
	return &NotIssued{Draft: d, Changed: true, Err: err}
}

// issued reports whether the license with the form's ID is on record.
func (g *Generator) issued(ctx context.Context, id string) (bool, error) {
	if !validID(id) {
		return false, nil // the draft reports it
	}
	switch _, err := g.Records.License(ctx, id); {
	case err == nil:
		return true, nil
	case fault.KindOf(err) == fault.NotFound:
		return false, nil
	default:
		return false, err
	}
}

// partly returns *PartlyIssued if licenses of this form are on record without its first one, which comes last.
func (d *Draft) partly() error {
	if d.Account == nil || !validID(d.Form.ID) {
		return nil
	}
	places := map[string]int{}
	for n := range maxLicenses {
		places[nthID(d.Form.ID, n)] = n
	}
	found := &PartlyIssued{Customer: d.Account.Customer.ID}
	first := maxLicenses
	for _, i := range d.Account.Instances {
		for _, l := range i.Licenses {
			if n, ok := places[l.ID]; ok {
				found.Issued++
				if n < first {
					first, found.Contract = n, l.Contract
				}
			}
		}
	}
	if first == 0 || found.Issued == 0 {
		return nil
	}
	return found
}

// issue issues the draft if the operator confirmed it.
func (d *Draft) issue(ctx context.Context, c Confirmation) error {
	if c.Digest != d.Digest {
		return &NotIssued{Draft: d, Changed: true}
	}
	if err := d.Barred(c.By); err != nil {
		return &NotIssued{Draft: d, Err: err}
	}
	unconfirmed := func(w Warning) bool { return !slices.Contains(c.Codes, w.Code) }
	if slices.ContainsFunc(d.Warnings, unconfirmed) {
		return &NotIssued{Draft: d}
	}
	return d.record(ctx, c.By)
}
