package store

import (
	"context"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Actions on contracts.
const (
	ContractMade     Action = "contract made"
	ContractChanged  Action = "contract changed"
	ContractEnded    Action = "contract ended"
	ContractReopened Action = "contract reopened"
)

// OfContract names a contract that a line of a customer's timeline is about (Event.Of).
func OfContract(id string) string { return "contract/" + id }

// contractEntity is a contract as a changeset writes it.
type contractEntity struct{ customer.Contract }

func (e contractEntity) Key() table.Key      { return rowkey.Contract(e.Customer, e.ID) }
func (e contractEntity) Timeline() table.Key { return rowkey.CustomerTimeline(e.Customer) }
func (e contractEntity) Of() string          { return OfContract(e.ID) }
func (e contractEntity) Row() table.Row {
	return entity.Encode(e.Key(), rowkey.TypeContract, e.Contract)
}
func (e contractEntity) Facts() any               { return e.Contract }
func (e contractEntity) Counted() []entity.Addend { return nil }
func (e contractEntity) Index(int64) []table.Row  { return nil }

// EndContract ends a contract early, with the reason. It is a Conflict fault if somebody changed the account since it
// was seen, or if the contract was ended.
func (s *Store) EndContract(ctx context.Context, change AccountChange, id, reason string) error {
	return s.changeContract(ctx, change, id, ContractEnded, reason, func(c *customer.Contract) error {
		if !c.Ended.IsZero() {
			return fault.New(fault.Conflict, "Contract %s was already ended.", c.Reference)
		}
		c.Ended, c.EndedBy, c.EndedReason = s.now(), change.By, reason
		return nil
	})
}

// ReopenContract undoes EndContract.
func (s *Store) ReopenContract(ctx context.Context, change AccountChange, id string) error {
	return s.changeContract(ctx, change, id, ContractReopened, "", func(c *customer.Contract) error {
		if c.Ended.IsZero() {
			return fault.New(fault.Conflict, "Contract %s is open.", c.Reference)
		}
		c.Ended, c.EndedBy, c.EndedReason = time.Time{}, "", ""
		return nil
	})
}

func (s *Store) changeContract(ctx context.Context, change AccountChange, id string, action Action, note string,
	f func(*customer.Contract) error) error {
	return s.changeAccount(ctx, change, func(c *changeset, a *account) error {
		before, version, err := a.contract(ctx, id)
		if err != nil {
			return err
		}
		after := before
		if err := f(&after); err != nil {
			return err
		}
		c.Change(contractEntity{before}, contractEntity{after}, version,
			entity.Line{By: change.By, Action: action, Note: note})
		return nil
	})
}
