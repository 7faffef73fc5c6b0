package generator

import (
	"context"
	"strings"

	"marketplace/shared/fault"
	"marketplace/shared/store"
)

// record signs the licenses, makes their package, and puts everything on record in one transaction.
func (d *Draft) record(ctx context.Context, by string) error {
	licenses, err := d.sign()
	if err != nil {
		return d.failed(fault.Unavailable, err, "The key could not be created, so nothing was issued or sent. "+
			"Try again in a few minutes.")
	}
	if len(d.jars) > 0 {
		if err := d.generator.Packager.MakePackage(ctx, licenses[0].Packages[0], d.jars); err != nil {
			return d.failed(fault.Unavailable, err, "The package could not be created, so nothing was issued or sent. "+
				"Try again in a few minutes, or issue the license without the package.")
		}
	}
	i := store.Issue{Licenses: licenses, By: by, Datasets: d.versions, Confirmed: d.confirmed()}
	if d.Request != nil {
		i.Request, i.RequestVersion = d.Request.ID, d.Request.Version
	}
	if d.Revoked != nil {
		i.Replaces = map[string]int64{d.Revoked.ID: d.Old.Version}
	}
	err = d.generator.Records.IssueLicenses(ctx, i)
	if fault.KindOf(err) == fault.TooLarge {
		return d.failed(fault.Invalid, err,
			"These are too many licenses to issue at once, so nothing was issued or sent. "+
				"Renew the staging licenses one by one.")
	}
	return err
}

// failed returns the error of a draft that could not be issued, with a sentence for the operator.
func (d *Draft) failed(kind fault.Kind, err error, sentence string) error {
	return &NotIssued{Draft: d, Err: fault.Wrap(kind, err, "%s", sentence)}
}

// confirmed returns the warnings that the operator confirmed, one a line.
func (d *Draft) confirmed() string {
	lines := make([]string, len(d.Warnings))
	for i, w := range d.Warnings {
		lines[i] = w.Sentence
	}
	return strings.Join(lines, "\n")
}
