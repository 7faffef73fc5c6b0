package tabletest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"marketplace/shared/table"
)

var transactTests = []test{
	{"of nothing does nothing", func(t *testing.T, tab table.Table) {
		transact(t, tab)
	}},
	{"creates only what does not exist", func(t *testing.T, tab table.Table) {
		first := row("p", "s", 1)
		transact(t, tab, table.Create(first))
		conflict(t, tab, []table.Write{table.Create(row("p", "s", 2))}, first.Key)
		first.Version = 1
		same(t, get(t, tab, first.Key), first)
	}},
	{"updates only what has the version that was read", func(t *testing.T, tab table.Table) {
		r := row("p", "s", 1)
		transact(t, tab, table.Create(r))
		read := get(t, tab, r.Key)
		for i := int64(2); i < 5; i++ {
			read.Data = json.RawMessage(fmt.Sprintf(`{"i":%d}`, i))
			transact(t, tab, table.Update(read))
			conflict(t, tab, []table.Write{table.Update(read)}, r.Key)
			read.Version = i
			same(t, get(t, tab, r.Key), read)
		}
	}},
	{"does not update what does not exist", func(t *testing.T, tab table.Table) {
		r := row("p", "s", 1)
		r.Version = 1
		conflict(t, tab, []table.Write{table.Update(r)}, r.Key)
		absent(t, tab, r.Key)
	}},
	{"sets a row whether or not it exists", func(t *testing.T, tab table.Table) {
		r := row("p", "s", 1)
		for i := int64(1); i < 4; i++ {
			r.Version = 40 // whatever it was read with
			transact(t, tab, table.Set(r))
			r.Version = i
			same(t, get(t, tab, r.Key), r)
		}
	}},
	{"puts a row in the place of the whole row before", func(t *testing.T, tab table.Table) {
		before := row("p", "s", 1)
		before.Type, before.Schema = "request", 3
		before.Expires = time.Unix(2_000_000_000, 0)
		before.Data = json.RawMessage(`{"a":1,"b":{"c":2}}`)
		after := table.Row{Key: before.Key, Type: "license", Schema: 4, Version: 1,
			Data: json.RawMessage(`{"b":{"d":3}}`)}
		transact(t, tab, table.Create(before))
		transact(t, tab, table.Update(after))
		after.Version = 2
		same(t, get(t, tab, after.Key), after)
		transact(t, tab, table.Set(before))
		before.Version = 3
		same(t, get(t, tab, before.Key), before)
		bare := table.Row{Key: before.Key, Data: json.RawMessage(`{}`)}
		transact(t, tab, table.Set(bare))
		bare.Version = 4
		same(t, get(t, tab, bare.Key), bare)
	}},
	{"deletes by version, or whether or not the row exists", func(t *testing.T, tab table.Table) {
		r := row("p", "s", 1)
		transact(t, tab, table.Delete(r.Key, table.Any))
		conflict(t, tab, []table.Write{table.Delete(r.Key, 1)}, r.Key)
		transact(t, tab, table.Create(r))
		conflict(t, tab, []table.Write{table.Delete(r.Key, 2)}, r.Key)
		transact(t, tab, table.Delete(r.Key, 1))
		absent(t, tab, r.Key)
		transact(t, tab, table.Create(r))
		r.Version = 1
		same(t, get(t, tab, r.Key), r)
		transact(t, tab, table.Delete(r.Key, table.Any))
		absent(t, tab, r.Key)
	}},
	{"makes sure of a row's absence by a delete that expects none", func(t *testing.T, tab table.Table) {
		guard, r := table.Key{PK: "p", SK: "guard"}, row("p", "s", 1)
		transact(t, tab, table.Delete(guard, 0), table.Create(r))
		absent(t, tab, guard)
		transact(t, tab, table.Create(row("p", "guard", 1)))
		conflict(t, tab, []table.Write{table.Delete(guard, 0), table.Set(r)}, guard)
		if got := get(t, tab, r.Key); got.Version != 1 {
			t.Errorf("version %d after a conflict; want 1", got.Version)
		}
	}},
	{"applies all writes or none, and names exactly the rows that were in the way",
		func(t *testing.T, tab table.Table) {
			there, changed := row("p", "there", 1), row("p", "changed", 1)
			transact(t, tab, table.Create(there), table.Create(changed))
			transact(t, tab, table.Set(changed))

			fine, gone := row("p", "fine", 1), row("q", "gone", 1)
			there.Version, changed.Version, gone.Version = 1, 1, 1
			conflict(t, tab, []table.Write{
				table.Create(fine), table.Update(changed), table.Delete(there.Key, 1), table.Update(gone),
				table.Set(row("r", "set", 1)),
			}, changed.Key, gone.Key)
			absent(t, tab, fine.Key)
			absent(t, tab, gone.Key)
			absent(t, tab, table.Key{PK: "r", SK: "set"})
			same(t, get(t, tab, there.Key), there)

			changed.Version = 2
			transact(t, tab, table.Create(fine), table.Update(changed), table.Delete(there.Key, 1),
				table.Set(row("r", "set", 1)))
			absent(t, tab, there.Key)
			fine.Version, changed.Version = 1, 3
			same(t, get(t, tab, fine.Key), fine)
			same(t, get(t, tab, changed.Key), changed)
		}},
	{"repeated with the same expected versions, says that it had been applied", func(t *testing.T, tab table.Table) {
		create, update := row("p", "create", 1), row("p", "update", 1)
		transact(t, tab, table.Create(update))
		update.Version = 1
		writes := []table.Write{table.Create(create), table.Update(update), table.Set(row("p", "index", 1))}
		transact(t, tab, writes...)
		conflict(t, tab, writes, create.Key, update.Key)
		if got := get(t, tab, table.Key{PK: "p", SK: "index"}); got.Version != 1 {
			t.Errorf("index row has version %d; want 1", got.Version)
		}
	}},
	{"writes nothing when the context has ended", func(t *testing.T, tab table.Table) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r := row("p", "s", 1)
		givenUp(t, tab.Transact(ctx, table.Create(r)))
		absent(t, tab, r.Key)
	}},
}
