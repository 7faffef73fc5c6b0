package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/outbox"
)

// expand replaces a notice that expands by the mails that it becomes, which are ready then. The provider is not called.
func (r *run) expand(m outbox.Mail) {
	into, err := r.becomes(m.Notice)
	pointless, isPointless := errors.AsType[*notice.PointlessError](err)
	switch {
	case isPointless:
		r.drop(m, pointless.Why)
	case fault.KindOf(err) == fault.NotFound:
		r.drop(m, "what it is about is no longer on record")
	case fault.KindOf(err) == fault.Unavailable, fault.KindOf(err) == fault.Conflict:
		r.fail("cannot expand a mail", err, slog.Any("mail", m))
	case err != nil:
		r.giveUp(m, err)
	default:
		r.count(&r.counts.expanded)
		r.record(m.ID, "expanded", func(ctx context.Context) error { return r.Outbox.Expand(ctx, m, into) })
		r.lookForUrgent(into)
	}
}

// lookForUrgent makes the next look due if there are new urgent mails, so that no reminder is begun before them.
func (r *run) lookForUrgent(queued []notice.Notice) {
	if slices.ContainsFunc(queued, func(n notice.Notice) bool { return n.Rank() == notice.RankUrgent }) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.queue.looked = time.Time{}
	}
}

// becomes asks what a notice becomes. What panics is an error of this notice alone.
func (r *run) becomes(n notice.Notice) (into []notice.Notice, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("expanding: panic: %v", p)
		}
	}()
	if into, err = r.Expander.Expand(r.ctx, n); err != nil {
		err = fmt.Errorf("expanding: %w", err)
	}
	return into, err
}
