package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"

	"marketplace/shared/license"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Licenses are counted by the month in which they expire, so that the overview need not read them. Each month is
// counted in Shards rows, by customer: changes of different shards never collide.

// Shards is how many rows count a month.
const Shards = 16

// Shard is the number, below Shards, of the row that counts the licenses of a customer. Licenses of different
// shards can be recorded at once without getting in each other's way.
func Shard(customer string) int {
	sum := sha256.Sum256([]byte(customer))
	return int(sum[0]) % Shards
}

// Count is how many licenses there are, and how many lines of code they allow together.
type Count struct {
	Licenses int   `json:"licenses"`
	MaxLoc   int64 `json:"maxLoc"`
}

// Class is what licenses are counted by.
type Class struct {
	Edition license.Edition
	Type    license.Type
}

func (c Class) String() string { return string(c.Edition) + "/" + string(c.Type) }

// MarshalText makes a Class the key of a JSON object: developer/PRODUCTION.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (c *Class) UnmarshalText(data []byte) error {
	edition, kind, _ := strings.Cut(string(data), "/")
	*c = Class{license.Edition(edition), license.Type(kind)}
	return nil
}

// counted is what a license adds to the counts: nothing once it has a successor or was revoked.
func counted(l license.License) []entity.Addend {
	if l.Successor != "" || !l.Revoked.IsZero() || l.Retired {
		return nil
	}
	return []entity.Addend{{
		Sum:    rowkey.Stats(l.Expiration, Shard(l.Customer)),
		Class:  Class{l.Edition, l.Type}.String(),
		Fields: map[string]int64{"licenses": 1, "maxLoc": l.MaxLoc}, // as in Count
	}}
}

// ExpiringMonth is a month with the licenses that expire in it, without those that were revoked, have a successor, or
// are for a retired instance.
type ExpiringMonth struct {
	Month  license.Date // its first day
	Counts map[Class]Count
}

// Expiring counts the licenses that expire, month by month from the month of a day on. It lists as many months as asked
// for, also those in which nothing expires. rest counts what expires after them.
func (s *Store) Expiring(ctx context.Context, from license.Date, months int) (
	list []ExpiringMonth, rest map[Class]Count, err error) {
	first := license.Date{Year: from.Year, Month: from.Month, Day: 1}
	index := map[string]map[Class]Count{}
	for i := range months {
		m := ExpiringMonth{first.AddMonths(i), map[Class]Count{}}
		index[m.Month.YearMonth()] = m.Counts
		list = append(list, m)
	}
	rest = map[Class]Count{}
	q := table.Query{PK: rowkey.StatsPK, From: first.YearMonth(), Limit: 1000}
	err = s.table.Each(ctx, q, func(row table.Row) error {
		counted, err := entity.Decode[map[Class]Count](row)
		into, ok := index[row.SK[:len("2006-01")]]
		if !ok {
			into = rest
		}
		for class, n := range counted {
			sum := into[class]
			into[class] = Count{sum.Licenses + n.Licenses, sum.MaxLoc + n.MaxLoc}
		}
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("store: counts of licenses: %w", err)
	}
	return list, rest, nil
}
