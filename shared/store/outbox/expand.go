package outbox

import (
	"context"
	"fmt"

	"marketplace/shared/fault"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// expandedAtOnce is how many mails, of two rows each, an expansion queues in one transaction. Closing the notice
// writes up to three rows more.
const expandedAtOnce = (table.MaxWrites - 3) / 2

// Expand replaces a notice that expands by the mails that it becomes, in the order of their turns, in one transaction.
// If these are more than one holds, there are several, and the last closes the notice. A mail whose ID was queued
// before is left out, so an expansion that was cut off can be done again. ErrChanged if somebody else works on the
// notice.
func (b *Box) Expand(ctx context.Context, m Mail, into []notice.Notice) error {
	if !m.State.Status.Open() {
		return ErrChanged
	}
	ready, known := b.now(), map[string]bool{}
	for first := 0; ; {
		part := into[first:min(first+expandedAtOnce, len(into))]
		c, last := b.table.Begin(), first+len(part) == len(into)
		for i, n := range part {
			if !known[n.ID] {
				b.QueueTurn(c, n, ready, first+i)
			}
		}
		if last {
			m.State.Status, m.State.Closed = Expanded, b.now()
			b.CloseIn(c, m)
		} else {
			b.GuardIn(c, m) // of two that expand it, one stops
		}
		err := c.Commit(ctx)
		switch {
		case err == nil && last:
			return nil
		case err == nil:
			first += len(part)
			m.version++
		case fault.KindOf(err) != fault.Conflict:
			return fmt.Errorf("store: expanding mail %s: %w", m.ID, err)
		case entity.IsConflictOn(err, rowkey.MailState(m.ID)), !noteQueued(known, part, err):
			return ErrChanged
		}
	}
}

// noteQueued notes which mails were queued before, as a conflict tells, and reports whether there are any.
func noteQueued(known map[string]bool, part []notice.Notice, conflict error) (found bool) {
	for _, n := range part {
		if entity.IsConflictOn(conflict, rowkey.Mail(n.ID)) && !known[n.ID] {
			known[n.ID], found = true, true
		}
	}
	return found
}
