package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reference"
	"marketplace/shared/request"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// WarningsConfirmed is an action on what is issued.
const WarningsConfirmed Action = "warnings confirmed"

// ErrIssued means that these licenses were issued before, by the same issue sent twice. Nothing was written.
var ErrIssued = errors.New("store: the licenses were issued before")

// Issue is the issuing of licenses in one go, for instances of one customer, with all that changes with it: one
// license, or a production license with its staging licenses, or none where only a contract is made or amended.
type Issue struct {
	// Licenses are new, with the IDs of their customer, instance and contract. The ID of the first is the one under
	// which the operator's wizard prepared them, so that the same issue sent twice is one.
	Licenses []license.License
	By       string // the operator's email address
	// To receives the keys. The zero Contact is nobody.
	To license.Contact

	// Customer, Contracts and Instances are what is new or changes, as it is to be; instances without their licenses.
	// Those that are on record already are known by their IDs. New customers and contracts get their short references
	// here.
	Customer  *customer.Customer
	Contracts []customer.Contract
	Instances []customer.Instance
	// Replaces are the IDs of licenses of the account that these replace, and that are revoked. Mutes are those of
	// licenses whose reminders end.
	Replaces []string
	Mutes    []string

	// Request is the request that they answer, as the operator saw it; "" for none.
	Request        string
	RequestVersion int64
	// Confirmed are the warnings that the operator confirmed, for the timeline; "" for none.
	Confirmed string
	Note      string // for the customer's timeline; "" for none
	// Word says on whose word something is taken from the customer, for the timeline; "" if nothing is.
	Word string
	// Accounts are the versions of the customers that the operator decided by, by ID (customer.Account.Version; 0 for
	// one that is not on record yet), and Datasets those of the datasets (Store.Dataset).
	Accounts map[string]int64
	Datasets map[license.Server]int64
	// Except are addresses of contacts who are not told what was done: they asked for it.
	Except []string
	// Imported is set for licenses that were issued elsewhere: nobody is mailed.
	Imported bool
}

// IssueLicenses puts new licenses on record with the customer, contract and instances that they are for, answers the
// request, revokes what they replace, and mails the keys, in one transaction. It is ErrIssued if that was done before;
// a Conflict fault if the request, a customer or a dataset changed since the operator saw it; a TooLarge fault if this
// is too much for one transaction.
func (s *Store) IssueLicenses(ctx context.Context, i Issue) error {
	i, err := s.withReferences(i, nil)
	if err != nil {
		return err
	}
	return entity.Retry(func() error {
		if len(i.Licenses) > 0 {
			switch _, err := s.License(ctx, i.Licenses[0].ID); {
			case err == nil:
				return ErrIssued
			case fault.KindOf(err) != fault.NotFound:
				return err
			}
		}
		c := s.begin()
		if err := c.issue(ctx, i); err != nil {
			return c.orChanged(ctx, err)
		}
		if len(i.Licenses) > 0 && i.To.Email != "" && !i.Imported {
			c.queue(notice.LicenseKey(i.Licenses, i.To))
		}
		err := c.Commit(ctx)
		if err == nil {
			return nil
		}
		if again, drawing := s.withReferences(i, err); drawing == nil {
			i = again
		}
		return fmt.Errorf("store: issuing licenses of customer %s: %w", i.customer(), err)
	})
}

// withReferences draws the short references that an issue has none for, and new ones for those that a conflict says are
// taken. Of what is on record already, none is used.
func (s *Store) withReferences(i Issue, conflict error) (Issue, error) {
	draw := func(r reference.Reference, k reference.Kind) (reference.Reference, error) {
		if r != "" && !entity.IsConflictOn(conflict, rowkey.Reference(r)) {
			return r, nil
		}
		return reference.New(k, s.random)
	}
	var err error
	if i.Customer != nil {
		drawn := *i.Customer
		if drawn.Reference, err = draw(drawn.Reference, reference.Customer); err != nil {
			return i, err
		}
		i.Customer = &drawn
	}
	i.Contracts = slices.Clone(i.Contracts)
	for n := range i.Contracts {
		k := &i.Contracts[n]
		if k.Reference, err = draw(k.Reference, reference.Contract); err != nil {
			return i, err
		}
	}
	return i, nil
}

// customer is the ID of the customer that the issue is for.
func (i Issue) customer() string {
	switch {
	case i.Customer != nil:
		return i.Customer.ID
	case len(i.Licenses) > 0:
		return i.Licenses[0].Customer
	case len(i.Contracts) > 0:
		return i.Contracts[0].Customer
	}
	return i.Instances[0].Customer
}

func (c *changeset) issue(ctx context.Context, i Issue) error {
	if err := c.seen(ctx, i.Accounts); err != nil {
		return err
	}
	if err := c.unchanged(ctx, i.Datasets); err != nil {
		return err
	}
	a, err := c.saveCustomer(ctx, i)
	if err != nil {
		return err
	}
	for _, contract := range i.Contracts {
		if err := c.saveContract(ctx, a, contract, i.By); err != nil {
			return err
		}
	}
	for _, wanted := range i.Instances {
		if err := c.saveInstance(ctx, a, wanted, i.By); err != nil {
			return err
		}
	}
	if err := c.replace(ctx, a, i); err != nil {
		return err
	}
	action := LicenseIssued
	if i.Imported {
		action = LicenseRecorded
	}
	i.Licenses = slices.Clone(i.Licenses)
	for n := range i.Licenses {
		l := &i.Licenses[n]
		of, err := a.instance(ctx, l.Instance)
		if err != nil {
			return err
		}
		l.Customer = of.Customer // which may be one that was merged into the account's
		if i.Request != "" {
			l.Request = i.Request
		}
		line := entity.Line{By: i.By, Action: action, Note: i.Request}
		if l.Bridges != "" {
			line.Action = BridgeIssued
			c.addBridge(of, l, line)
			c.tellBridge(i, *l, of.Instance)
			continue
		}
		if err := c.addLicense(ctx, of, *l, line); err != nil {
			return err
		}
		if err := c.endBridges(ctx, of, *l, i.By); err != nil {
			return err
		}
	}
	var replaced []license.License
	for _, id := range i.Replaces {
		of, err := a.instanceOf(ctx, id)
		if err == nil {
			replaced = append(replaced, of.licenses[id].License)
			err = c.release(ctx, of, id)
		}
		if err != nil {
			return err
		}
	}
	c.tellMoves(i, replaced)
	if i.Confirmed != "" {
		line := entity.Line{By: i.By, Action: WarningsConfirmed, Note: i.Confirmed}
		if len(i.Licenses) > 0 {
			line.Of = OfLicense(i.Licenses[0].ID)
		}
		c.Log(rowkey.CustomerTimeline(a.id), line)
	}
	if i.Word != "" {
		line := entity.Line{By: i.By, Action: PermissionNoted, Note: i.Word}
		if len(i.Licenses) > 0 {
			line.Of = OfLicense(i.Licenses[0].ID)
		}
		c.Log(rowkey.CustomerTimeline(a.id), line)
	}
	if i.Note != "" {
		c.Log(rowkey.CustomerTimeline(a.id), entity.Line{By: i.By, Action: NoteAdded, Note: i.Note})
	}
	answered, err := c.answerRequest(ctx, i)
	if err != nil || i.To.Email == "" || i.Imported || len(i.Licenses) == 0 {
		return err
	}
	if _, ok := cmp.Or(i.Customer, &a.known).Contact(i.To.Email); !ok {
		c.Names(rowkey.License(i.Licenses[0].ID), answered.Email, i.To.Email)
	}
	return nil
}

// saveCustomer opens the account that the issue is for, with its customer as it is to be.
func (c *changeset) saveCustomer(ctx context.Context, i Issue) (*account, error) {
	if i.Customer == nil {
		return c.account(ctx, i.customer())
	}
	after := *i.Customer
	a, err := c.account(ctx, after.ID)
	if fault.KindOf(err) == fault.NotFound {
		a = c.newAccount(after.ID)
		c.Create(entity.Encode(rowkey.Reference(after.Reference), rowkey.TypeReference,
			Referenced{Customer: after.ID}))
		c.Add(customerEntity{after}, entity.Line{By: i.By, Action: CustomerAdded})
		return a, nil
	}
	if err != nil {
		return nil, err
	}
	told := contactsTold{of: a, except: i.Except, none: i.Imported}
	return a, c.changeCustomer(ctx, after.ID, entity.Line{By: i.By, Action: CustomerChanged}, told,
		func(kept *customer.Customer) error {
			*kept = edited(*kept, after)
			return nil
		})
}

func (c *changeset) saveContract(ctx context.Context, a *account, after customer.Contract, by string) error {
	before, version, err := a.contract(ctx, after.ID)
	if fault.KindOf(err) == fault.NotFound {
		after.Customer = a.home(after.Customer)
		c.Create(entity.Encode(rowkey.Reference(after.Reference), rowkey.TypeReference,
			Referenced{Customer: a.id, Contract: after.ID}))
		c.Add(contractEntity{after}, entity.Line{By: by, Action: ContractMade})
		return nil
	}
	if err != nil {
		return err
	}
	after.Customer, after.Reference = before.Customer, before.Reference
	c.Change(contractEntity{before}, contractEntity{after}, version, entity.Line{By: by, Action: ContractChanged})
	return nil
}

// saveInstance brings an instance of the account to what it is to be.
func (c *changeset) saveInstance(ctx context.Context, a *account, after customer.Instance, by string) error {
	i, err := a.instance(ctx, after.ID)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		after.Customer = a.home(after.Customer)
		i = a.newInstance(after)
		i.change(entity.Line{By: by, Action: InstanceAdded})
	case err != nil:
		return err
	default:
		retired := i.InUse() && !after.InUse()
		if i.InUse() != after.InUse() {
			if err := c.retire(ctx, i, by, retired); err != nil {
				return err
			}
		}
		after.Licenses, after.Retired, after.RetiredBy = i.Licenses, i.Retired, i.RetiredBy
		after.Bridges = i.Bridges
		after.Customer = i.Customer // only MoveInstances changes it
		i.Instance = after
		if !retired {
			i.change(entity.Line{By: by, Action: InstanceChanged})
		}
	}
	return c.joinDatasets(ctx, i.Instance)
}

// replace revokes what the issue replaces, and mutes what it mutes.
func (c *changeset) replace(ctx context.Context, a *account, i Issue) error {
	for _, id := range i.Replaces {
		of, err := a.instanceOf(ctx, id)
		if err != nil {
			return err
		}
		by := i.replacement(of.ID)
		err = c.changeLicense(ctx, of, id, entity.Line{By: i.By, Action: LicenseReplaced, Note: by},
			func(l *license.License) error {
				if !l.Revoked.IsZero() {
					return fault.New(fault.Conflict, "License %s is already revoked.", id)
				}
				l.Revoked, l.RevokedReason, l.ReplacedBy = c.store.now(), "replaced", by
				return nil
			})
		if err != nil {
			return err
		}
	}
	for _, id := range i.Mutes {
		of, err := a.instanceOf(ctx, id)
		if err != nil {
			return err
		}
		err = c.changeLicense(ctx, of, id, entity.Line{By: i.By, Action: RemindersMuted},
			func(l *license.License) error {
				l.Mute = license.Mute{By: i.By, At: c.store.now(), Reason: boughtElsewhere}
				return nil
			})
		if err != nil {
			return err
		}
	}
	return nil
}

// boughtElsewhere is why reminders of an evaluation end with an issue.
const boughtElsewhere = "bought for another server"

// replacement is the ID of the license that replaces those of an instance: its own first new one, else the first.
func (i Issue) replacement(instance string) string {
	for _, l := range i.Licenses {
		if l.Instance == instance {
			return l.ID
		}
	}
	return i.Licenses[0].ID
}

// answerRequest closes the request that the issue answers.
func (c *changeset) answerRequest(ctx context.Context, i Issue) (answered request.Request, err error) {
	if i.Request == "" {
		return answered, nil
	}
	v := Review{ID: i.Request, Version: i.RequestVersion, By: i.By, To: request.Issued}
	return c.review(ctx, v, i.Licenses[0].ID, func(r *request.Request) {
		for _, l := range i.Licenses {
			r.Licenses = append(r.Licenses, l.ID)
		}
		r.Customer, r.Instance = i.Licenses[0].Customer, i.Licenses[0].Instance
		if r.Reviewer == "" {
			r.Reviewer = i.By
		}
	})
}

// OnRecord reports which of some licenses are on record, by ID.
func (s *Store) OnRecord(ctx context.Context, ids ...string) (map[string]license.License, error) {
	keys := make([]table.Key, len(ids))
	for i, id := range ids {
		keys[i] = rowkey.License(id)
	}
	list, _, err := entity.GetAll[LicenseRecord](ctx, s.table, keys)
	if err != nil {
		return nil, fmt.Errorf("store: licenses on record: %w", err)
	}
	known := map[string]license.License{}
	for _, r := range list {
		known[r.License.ID] = r.License
	}
	return known, nil
}
