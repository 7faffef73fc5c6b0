package delivery

import (
	"context"
	"fmt"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/outbox"
)

// Records reads what is on record about the subject of a notice: what its letter says, and whether it still has a
// point. It is a NotFound fault if the subject is not on record any more.
func (s *Store) Records(ctx context.Context, n notice.Notice) (r notice.Records, err error) {
	r.Today = license.DateOf(s.Now())
	switch n.Kind {
	case mail.RequestReceived, mail.RequestNew, mail.RequestQuestion, mail.RequestRejected, mail.RequestWithdrawn:
		r.Request, err = s.Request(ctx, n.About)
	case mail.RequestUnconfirmed:
		err = s.requestsOf(ctx, n, &r)
	case mail.LicenseKey:
		err = s.licensesOf(ctx, n.Licenses, &r)
	case mail.LicenseExpiring:
		err = s.licensesOf(ctx, []string{n.About}, &r)
	case mail.LicenseUnreached:
		if err = s.licensesOf(ctx, []string{n.About}, &r); err == nil {
			var contact *license.Contact
			contact, err = s.contactInReach(ctx, r.Licenses[0], "")
			r.Reachable = contact != nil
		}
	}
	if err == nil && n.Repeats != "" {
		var before outbox.Mail
		before, err = s.outbox.Read(ctx, n.Repeats)
		r.Arrived = Arrived(before)
	}
	if err != nil {
		return notice.Records{}, fmt.Errorf("delivery: what mail %s is about: %w", n.ID, err)
	}
	return r, nil
}

// requestsOf reads the requests of a notice that are still on record.
func (s *Store) requestsOf(ctx context.Context, n notice.Notice, r *notice.Records) error {
	for _, id := range n.Requests {
		one, err := s.Request(ctx, id)
		if fault.KindOf(err) == fault.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		r.Requests = append(r.Requests, one)
	}
	return nil
}

// licensesOf reads licenses, and the request that the first of them answered, if any.
func (s *Store) licensesOf(ctx context.Context, ids []string, r *notice.Records) error {
	for _, id := range ids {
		l, err := s.License(ctx, id)
		if err != nil {
			return err
		}
		r.Licenses = append(r.Licenses, l.License)
	}
	if id := r.Licenses[0].Request; id != "" {
		answered, err := s.Request(ctx, id)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return err
		}
		r.Request = answered
	}
	return nil
}
