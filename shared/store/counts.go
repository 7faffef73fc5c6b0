package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"marketplace/shared/license"
	"marketplace/shared/table"
)

// Licenses are counted by the month in which they expire, so that the overview need not read them. Each month is counted
// in Shards rows, by dataset: changes of different shards never meet.

// Shards is how many rows a month is counted in.
const Shards = 16

// Shard is the number, below Shards, of the row that counts the licenses of a server's dataset. Licenses of different
// shards can be recorded at once without getting in each other's way.
func Shard(server license.Server) int {
	sum := sha256.Sum256([]byte(server.Dataset()))
	return int(sum[0]) % Shards
}

const statsPK = "STATS"

func statsKey(l license.License) table.Key {
	return table.Key{PK: statsPK, SK: fmt.Sprintf("%s#%02d", l.Expiration.YearMonth(), Shard(l.Server))}
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

// MarshalText makes a Class the key of a JSON object: developer/PRODUCTION.
func (c Class) MarshalText() ([]byte, error) {
	return []byte(string(c.Edition) + "/" + string(c.Type)), nil
}

// UnmarshalText reads what MarshalText writes.
func (c *Class) UnmarshalText(data []byte) error {
	edition, kind, _ := strings.Cut(string(data), "/")
	*c = Class{license.Edition(edition), license.Type(kind)}
	return nil
}

// counts is a change of counts while it is worked out.
type counts struct {
	store *Store
	ctx   context.Context
	delta map[table.Key]map[Class]Count
}

func (s *Store) newCounts(ctx context.Context) *counts {
	return &counts{s, ctx, map[table.Key]map[Class]Count{}}
}

// counted are the licenses that expire without anything that follows them.
func counted(l license.License) bool { return l.Successor == "" && l.Revoked.IsZero() }

func (c *counts) put(l license.License)  { c.add(l, 1) }
func (c *counts) take(l license.License) { c.add(l, -1) }

func (c *counts) add(l license.License, sign int) {
	if !counted(l) {
		return
	}
	key, class := statsKey(l), Class{l.Edition, l.Type}
	if c.delta[key] == nil {
		c.delta[key] = map[Class]Count{}
	}
	n := c.delta[key][class]
	n.Licenses += sign
	n.MaxLoc += int64(sign) * l.MaxLoc
	c.delta[key][class] = n
}

// writes read the counts that change, and write them changed.
func (c *counts) writes() (writes []table.Write, err error) {
	for key, delta := range c.delta {
		maps.DeleteFunc(delta, func(_ Class, n Count) bool { return n == Count{} })
		if len(delta) == 0 {
			continue
		}
		row, err := c.store.table.Get(c.ctx, key)
		if err != nil && !errors.Is(err, table.ErrNotFound) {
			return nil, err
		}
		sum := map[Class]Count{}
		if row.Version > 0 {
			if err := json.Unmarshal(row.Data, &sum); err != nil {
				return nil, fmt.Errorf("store: decoding %v: %w", key, err)
			}
		}
		for class, n := range delta {
			n.Licenses += sum[class].Licenses
			n.MaxLoc += sum[class].MaxLoc
			sum[class] = n
		}
		maps.DeleteFunc(sum, func(_ Class, n Count) bool { return n.Licenses == 0 })
		writes = append(writes, table.Update(at(encode(key, rowStats, sum), row.Version)))
	}
	slices.SortFunc(writes, func(a, b table.Write) int { return strings.Compare(a.Row.SK, b.Row.SK) })
	return writes, nil
}
