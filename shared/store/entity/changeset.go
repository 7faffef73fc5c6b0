package entity

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// Entity is one state of something that has a row of its own and a timeline.
type Entity interface {
	// Key is the key of the entity's own row.
	Key() table.Key
	// Timeline is the key of what has the timeline on which changes of the entity are told: often its own.
	Timeline() table.Key
	// Of names the entity on a timeline that it shares with others; "" on one of its own.
	Of() string
	// Row is the entity's own row, without its version.
	Row() table.Row
	// Facts returns the fields whose changes appear on the timeline, as a JSON object.
	Facts() any
	// Index lists the rows by which the entity is found while its own row has the version.
	Index(version int64) []table.Row
	// Counted lists what the entity adds to rows of sums.
	Counted() []Addend
}

// Owned is an Entity whose timeline is not its customer's.
type Owned interface {
	// Owner is the ID of the customer whose it is; "" for none yet.
	Owner() string
}

// ownersOf lists whose an entity was before a change and is after it, without an empty ID or one twice.
func ownersOf(states ...Entity) (ids []string) {
	for _, e := range states {
		if of, ok := e.(Owned); ok && of.Owner() != "" && !slices.Contains(ids, of.Owner()) {
			ids = append(ids, of.Owner())
		}
	}
	return ids
}

// Addend is what an entity adds to the fields of one class in a row of sums.
type Addend struct {
	Sum    table.Key
	Class  string
	Fields map[string]int64
}

// sums is the data of a row of sums: for each class, the sum of each field.
type sums map[string]map[string]int64

// Changeset is a change while it is worked out. Commit writes all of it in one transaction: each entity with its index
// rows, its counts and its timeline, so that nobody can forget one of them.
type Changeset struct {
	table    *Table
	entities map[table.Key]*changed
	order    []table.Key // of the entities, as they were first changed
	writes   []table.Write
	lines    []logged
	named    map[table.Key]bool // the rows of Names that it writes
}

// changed is an entity before and after all changes of a changeset.
type changed struct {
	before    Entity // nil for a new one
	after     Entity
	version   int64 // of before; 0 for a new one
	movedFrom int64 // the version of before's own row if that has another key; else 0
}

// Begin returns an empty changeset.
func (t *Table) Begin() *Changeset {
	return &Changeset{table: t, entities: map[table.Key]*changed{}}
}

// Add creates an entity.
func (c *Changeset) Add(e Entity, l Line) {
	c.put(nil, e, 0)
	c.log(nil, e, l, nil)
}

// Change changes an entity that has the version. An entity may change several times, each with a line of its own.
func (c *Changeset) Change(before, after Entity, version int64, l Line) {
	c.put(before, after, version)
	c.log(before, after, l, difference(encodeFacts(before), encodeFacts(after)))
}

// UpdateUnlogged changes an entity without a line on its timeline: what it keeps besides its facts, or what another
// line tells.
func (c *Changeset) UpdateUnlogged(before, after Entity, version int64) {
	c.put(before, after, version)
}

// Move changes an entity whose key changes with it.
func (c *Changeset) Move(before, after Entity, version int64, l Line) {
	c.put(nil, after, 0)
	c.entities[after.Key()].before = before
	c.entities[after.Key()].movedFrom = version
	c.log(before, after, l, difference(encodeFacts(before), encodeFacts(after)))
}

// put notes an entity before and after a change, beyond those that the changeset knows of.
func (c *Changeset) put(before, after Entity, version int64) {
	key := after.Key()
	if e := c.entities[key]; e != nil {
		e.after = after
		return
	}
	c.entities[key] = &changed{before: before, after: after, version: version}
	c.order = append(c.order, key)
}

func (c *Changeset) log(before, after Entity, l Line, changes []Change) {
	if l.Of == "" {
		l.Of = after.Of()
	}
	c.lines = append(c.lines, logged{
		timeline: after.Timeline(), line: l, owners: ownersOf(before, after), changes: changes,
	})
}

func encodeFacts(e Entity) json.RawMessage {
	data, err := json.Marshal(e.Facts())
	if err != nil {
		panic("store: encoding an entity: " + err.Error())
	}
	return data
}

// Log adds a line to the timeline under the key and changes nothing else. On a timeline that is not a customer's,
// Line.Customer says whose it is.
func (c *Changeset) Log(timeline table.Key, l Line) {
	c.lines = append(c.lines, logged{timeline: timeline, line: l})
}

// Audit tells the audit alone of what happened to something without a timeline, such as a sign-in or an export. on
// names it, like a partition. The note is kept in the audit (Done.Detail): it names nobody but colleagues.
func (c *Changeset) Audit(on string, l Line) {
	c.lines = append(c.lines, logged{audited: on, line: l})
}

// Names notes that something names addresses, so that whoever asks what is known of a person finds it without a scan
// (shared/store/erasure). in is a row of it. but is the address by which it is found anyway; "" for none. The rows stay
// when the addresses are gone there, since its timeline keeps them.
func (c *Changeset) Names(in table.Key, but string, emails ...string) {
	for _, email := range emails {
		key := rowkey.Named(email, in)
		if email == "" || input.SameMailbox(email, but) || c.named[key] {
			continue
		}
		if c.named == nil {
			c.named = map[table.Key]bool{}
		}
		c.named[key] = true
		c.Set(Encode(key, rowkey.TypeIndex, struct{}{}))
	}
}

// Create writes a row that must not exist.
func (c *Changeset) Create(row table.Row) { c.writes = append(c.writes, table.Create(row)) }

// Update writes a row that must have the version; 0 if it must not exist.
func (c *Changeset) Update(row table.Row, version int64) {
	row.Version = version
	c.writes = append(c.writes, table.Update(row))
}

// Set writes a row whether or not it exists.
func (c *Changeset) Set(row table.Row) { c.writes = append(c.writes, table.Set(row)) }

// Delete deletes a row that must have the version, or with table.Any whether or not it exists.
func (c *Changeset) Delete(key table.Key, version int64) {
	c.writes = append(c.writes, table.Delete(key, version))
}

// Empty reports whether there is nothing to commit.
func (c *Changeset) Empty() bool { return len(c.order)+len(c.writes)+len(c.lines) == 0 }

// Commit writes the changeset in one transaction. It returns a Conflict fault and writes nothing if something
// changed since it was read (see IsConflictOn), and TooLarge if one transaction cannot hold the changes.
func (c *Changeset) Commit(ctx context.Context) error {
	writes := append(slices.Clone(c.writes), c.table.told(c.lines)...)
	total := map[table.Key]sums{}
	for _, key := range c.order {
		e := c.entities[key]
		row := e.after.Row()
		row.Version = e.version
		writes = append(writes, table.Update(row))
		if e.movedFrom != 0 {
			writes = append(writes, table.Delete(e.before.Key(), e.movedFrom))
		}
		writes = append(writes, e.indexWrites()...)
		if e.before != nil {
			add(total, e.before.Counted(), -1)
		}
		add(total, e.after.Counted(), 1)
	}
	for _, key := range slices.SortedFunc(maps.Keys(total), byKey) {
		w, changes, err := c.table.sumWrite(ctx, key, total[key])
		if err != nil {
			return err
		}
		if changes {
			writes = append(writes, w)
		}
	}
	return failure(c.table.rows.Transact(ctx, writes...))
}

func byKey(a, b table.Key) int {
	if c := strings.Compare(a.PK, b.PK); c != 0 {
		return c
	}
	return strings.Compare(a.SK, b.SK)
}

// indexWrites replaces the index rows of an entity by those that it has now.
func (e *changed) indexWrites() (writes []table.Write) {
	before := map[table.Key]table.Row{}
	if e.before != nil {
		for _, row := range e.before.Index(e.version) {
			if _, twice := before[row.Key]; !twice { // of two with the same key, the first is written
				before[row.Key] = row
			}
		}
	}
	seen := map[table.Key]bool{}
	for _, row := range e.after.Index(e.version + 1) {
		if seen[row.Key] {
			continue
		}
		seen[row.Key] = true
		was, ok := before[row.Key]
		if !ok || !bytes.Equal(was.Data, row.Data) || !was.Expires.Equal(row.Expires) {
			writes = append(writes, table.Set(row))
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(before), byKey) {
		if !seen[key] {
			writes = append(writes, table.Delete(key, table.Any))
		}
	}
	return writes
}

// add adds the addends to the sums, or subtracts them where sign is -1.
func add(total map[table.Key]sums, addends []Addend, sign int64) {
	for _, a := range addends {
		if total[a.Sum] == nil {
			total[a.Sum] = sums{}
		}
		if total[a.Sum][a.Class] == nil {
			total[a.Sum][a.Class] = map[string]int64{}
		}
		for field, n := range a.Fields {
			total[a.Sum][a.Class][field] += sign * n
		}
	}
}

// sumWrite reads a row of sums and writes it with what is added to it; changes is false if that is nothing.
func (t *Table) sumWrite(ctx context.Context, key table.Key, more sums) (w table.Write, changes bool, err error) {
	zero := func(_ string, n int64) bool { return n == 0 }
	for class, fields := range more {
		if maps.DeleteFunc(fields, zero); len(fields) == 0 {
			delete(more, class)
		}
	}
	if len(more) == 0 {
		return table.Write{}, false, nil
	}
	sum := sums{}
	version, err := t.Get(ctx, key, &sum)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return table.Write{}, false, fmt.Errorf("store: counts: %w", err)
	}
	for class, fields := range more {
		if sum[class] == nil {
			sum[class] = map[string]int64{}
		}
		for field, n := range fields {
			sum[class][field] += n
		}
		if !slices.ContainsFunc(slices.Collect(maps.Values(sum[class])), func(n int64) bool { return n != 0 }) {
			delete(sum, class)
		}
	}
	row := Encode(key, rowkey.TypeStats, sum)
	row.Version = version
	return table.Update(row), true, nil
}
