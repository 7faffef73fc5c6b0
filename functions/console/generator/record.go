package generator

import (
	"context"
	"slices"
	"strings"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// maxLicenses is the most that one issue has: a form with more is refused.
const maxLicenses = 400

// record signs the licenses, makes their package, and puts everything on record: in one transaction, or if that is too
// much, the contract first and then batches of a production instance and its staging.
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
	whole := d.storeIssue(licenses, by)
	err = d.generator.Records.IssueLicenses(ctx, whole)
	if fault.KindOf(err) == fault.TooLarge {
		return d.recordInBatches(ctx, whole)
	}
	return err
}

// storeIssue is the whole issue as the store takes it, with times.
func (d *Draft) storeIssue(licenses []license.License, by string) store.Issue {
	now := d.generator.Now().UTC().Truncate(time.Millisecond)
	i := store.Issue{
		Licenses: licenses, By: by, To: d.To, Datasets: d.datasets, Confirmed: d.confirmed(), Word: d.Word(by).String(),
		Instances: slices.Clone(d.Changes.Instances), Contracts: slices.Clone(d.Changes.Contracts),
	}
	if d.Account != nil {
		i.Accounts = map[string]int64{d.Account.Customer.ID: d.Account.Version}
	}
	if c := d.Changes.Customer; c != nil {
		kept := *c
		kept.Contacts = slices.Clone(kept.Contacts)
		for n := range kept.Contacts {
			if contact := &kept.Contacts[n]; contact.Since.IsZero() {
				contact.Since, contact.AddedBy = now, by
				if d.Account == nil || d.Account.Empty() { // there is nobody else who could be harmed
					contact.VouchedBy = by
				}
			}
		}
		if d.Changes.New {
			kept.Created = now
		}
		i.Customer = &kept
	}
	for n := range i.Contracts {
		k := &i.Contracts[n]
		if k.Created = now; d.Account != nil && d.Account.Contract(k.ID) != nil {
			k.Created = d.Account.Contract(k.ID).Created
		}
	}
	for _, r := range d.Changes.Retired {
		r.Licenses, r.Retired, r.RetiredBy = nil, now, by
		i.Instances = append(i.Instances, r)
	}
	for n := range i.Instances {
		date(&i.Instances[n], now)
	}
	for _, l := range d.Changes.Replaced {
		i.Replaces = append(i.Replaces, l.ID)
	}
	for _, l := range d.Changes.Muted {
		i.Mutes = append(i.Mutes, l.ID)
	}
	i.Except = d.askedBy()
	if d.Request != nil {
		i.Request, i.RequestVersion = d.Request.ID, d.Request.Version
	}
	return i
}

// date sets the times of what is new about an instance.
func date(i *customer.Instance, now time.Time) {
	if i.Created.IsZero() {
		i.Created = now
	}
	i.Servers = slices.Clone(i.Servers)
	for n := range i.Servers {
		if i.Servers[n].Told.IsZero() {
			i.Servers[n].Told = now
		}
	}
}

// recordInBatches records what one transaction cannot hold. The first license comes with the last batch, so that it
// being on record means that all are.
func (d *Draft) recordInBatches(ctx context.Context, whole store.Issue) error {
	first := store.Issue{
		By: whole.By, Customer: whole.Customer, Contracts: whole.Contracts, Accounts: whole.Accounts,
		Datasets: whole.Datasets, Except: whole.Except,
	}
	version := int64(0)
	if d.Account != nil {
		version = d.Account.Version
	}
	datasets := whole.Datasets
	if first.Customer != nil || len(first.Contracts) > 0 {
		datasets = nil
		if err := d.generator.Records.IssueLicenses(ctx, first); err != nil {
			return d.tooLarge(err)
		}
		version++
	}
	issued := 0
	for _, batch := range d.batches(whole) {
		batch.Accounts, batch.Datasets = map[string]int64{d.customerID(): version}, datasets
		datasets = nil
		if err := d.generator.Records.IssueLicenses(ctx, batch); err != nil {
			return &PartlyIssued{
				Customer: d.customerID(), Contract: whole.Licenses[0].Contract, Issued: issued,
				Of: len(whole.Licenses), Err: d.tooLarge(err),
			}
		}
		version++
		issued += len(batch.Licenses)
	}
	return nil
}

// batches splits an issue into those of a production instance with its staging; the first license comes last.
func (d *Draft) batches(whole store.Issue) (list []store.Issue) {
	of := map[string]int{} // index of the batch, by production instance
	group := func(instance string) string {
		if d.Account != nil {
			i := d.Account.Instance(instance)
			if i != nil && i.Environment == request.StagingUse && i.Production != "" {
				return i.Production
			}
		}
		return instance
	}
	for _, l := range slices.Backward(whole.Licenses) {
		key := group(l.Instance)
		n, ok := of[key]
		if !ok {
			n = len(list)
			of[key] = n
			list = append(list, store.Issue{
				By: whole.By, To: whole.To, Word: whole.Word, Except: whole.Except,
			})
		}
		list[n].Licenses = slices.Insert(list[n].Licenses, 0, l)
	}
	last := of[group(whole.Licenses[0].Instance)]
	list[last], list[len(list)-1] = list[len(list)-1], list[last]
	for n := range list {
		of := func(instance string) bool {
			return slices.ContainsFunc(list[n].Licenses, func(l license.License) bool { return l.Instance == instance })
		}
		end := n == len(list)-1
		for _, i := range whole.Instances {
			if of(i.ID) || end && !i.InUse() {
				list[n].Instances = append(list[n].Instances, i)
			}
		}
		for _, old := range d.Changes.Replaced {
			if d.Account != nil && of(d.Account.InstanceOf(old.ID).ID) {
				list[n].Replaces = append(list[n].Replaces, old.ID)
			}
		}
		if end {
			list[n].Mutes, list[n].Confirmed = whole.Mutes, whole.Confirmed
			list[n].Request, list[n].RequestVersion = whole.Request, whole.RequestVersion
		}
	}
	return list
}

// tooLarge puts a sentence to an error of an issue that no transaction can hold.
func (d *Draft) tooLarge(err error) error {
	if fault.KindOf(err) == fault.TooLarge {
		return d.failed(fault.Invalid, err,
			"These are too many licenses to issue at once. Select fewer instances to include.")
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
