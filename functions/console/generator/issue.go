package generator

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"marketplace/shared/fault"
	"marketplace/shared/mail"
	"marketplace/shared/store"
)

// Confirmation is what an operator confirms of a Review.
type Confirmation struct {
	Digest string // of the review that was looked at
	Codes  []Code // of the warnings that were confirmed
	By     string // the operator's e-mail address
}

// Unconfirmed is an error: what would be issued is not what was confirmed. Nothing was issued.
type Unconfirmed struct {
	Review  Review // to look at now
	Changed bool   // it is not the one that was looked at; else warnings were not confirmed
}

func (e *Unconfirmed) Error() string {
	if e.Changed {
		return "generator: what is on record changed since the review"
	}
	return "generator: not every warning was confirmed"
}

// Issue issues the licenses of a form as they were reviewed, and gives the ID of the first. The same form sent again issues
// nothing more and gives the same ID. It is *Unconfirmed where something changed since the review or a warning was not
// confirmed; with any error, nothing was issued and nothing is mailed.
func (g *Generator) Issue(ctx context.Context, o Origin, f Form, c Confirmation) (id string, err error) {
	if done, err := g.issued(ctx, f.ID); done || err != nil {
		return f.ID, err
	}
	err = g.issue(ctx, o, f, c)
	if err == nil {
		return f.ID, nil
	}
	// What stands in the way may be this very issue, sent twice.
	if done, again := g.issued(ctx, f.ID); done && again == nil {
		return f.ID, nil
	}
	return "", err
}

func (g *Generator) issued(ctx context.Context, id string) (bool, error) {
	if !validID(id) {
		return false, nil
	}
	_, err := g.Records.License(ctx, id)
	if fault.KindOf(err) == fault.NotFound {
		return false, nil
	}
	return err == nil, err
}

func (g *Generator) issue(ctx context.Context, o Origin, f Form, c Confirmation) error {
	b, p, r, err := g.review(ctx, o, f)
	if err != nil {
		return err
	}
	unconfirmed := func(w Warning) bool { return !slices.Contains(c.Codes, w.Code) }
	if c.Digest != r.Digest || slices.ContainsFunc(r.Warnings, unconfirmed) {
		return &Unconfirmed{Review: r, Changed: c.Digest != r.Digest}
	}
	m, err := g.sign(b, p)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "The key could not be made, so nothing was issued and nothing was sent. Try again in a few minutes.")
	}
	if len(p.jars) > 0 {
		if err := g.Packager.Tailor(ctx, p.licenses[0].Packages[0], p.jars); err != nil {
			return fault.Wrap(fault.Unavailable, err, "The package could not be made, so nothing was issued and nothing was sent. Try again in a few minutes, or without the package.")
		}
	}
	i := store.Issue{Licenses: p.licenses, By: c.By, Datasets: p.datasets, Confirmed: sentences(r.Warnings)}
	if b.request != nil {
		i.Request, i.RequestVersion = b.request.ID, b.request.Version
	}
	if b.replaces() {
		i.Replaces = map[string]int64{b.old.License.ID: b.old.Version}
	}
	err = g.Records.IssueLicenses(ctx, i, []mail.Message{m})
	switch {
	case fault.KindOf(err) == fault.TooLarge:
		return fault.Wrap(fault.Invalid, err, "These are too many licenses to issue at once, and nothing was issued. Renew the staging licenses one by one.")
	case fault.KindOf(err) == fault.Conflict:
		_, _, now, again := g.review(ctx, o, f)
		if again != nil {
			return again
		}
		return &Unconfirmed{Review: now, Changed: true}
	}
	return err
}

// sign makes the keys of a plan's licenses, which takes the issuer's word that each can be read by its receivers, and the mail
// that brings them.
func (g *Generator) sign(b basis, p plan) (mail.Message, error) {
	issuer, err := g.Issuer()
	if err != nil {
		return mail.Message{}, err
	}
	keys := make([]string, len(p.licenses))
	for i := range p.licenses {
		l := &p.licenses[i]
		if l.KeyText, err = issuer.Issue(l.Terms()); err != nil {
			return mail.Message{}, err
		}
		keys[i] = l.KeyText
	}
	m := g.mail(b, p, keys)
	for i, key := range keys {
		attached := func(a mail.Attachment) bool { return bytes.Equal(a.Data, []byte(key+"\n")) }
		if !slices.ContainsFunc(m.Attachments, attached) {
			return mail.Message{}, fmt.Errorf("generator: the mail does not bring the key of license %s as it is", p.licenses[i].ID)
		}
	}
	return m, nil
}

// sentences are what the warnings say, one in each line.
func sentences(warnings []Warning) string {
	var lines []string
	for _, w := range warnings {
		lines = append(lines, w.Sentence)
	}
	return strings.Join(lines, "\n")
}
