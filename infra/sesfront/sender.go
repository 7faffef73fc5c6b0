package sesfront

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"marketplace/functions/mailevents/feedback/feedbacktest"
	"marketplace/shared/mail"
)

// Sender returns the Front as a mail.Sender, without MIME and HTTP. Its errors are those of mail/ses.
func (f *Front) Sender() mail.Sender { return sender{f} }

type sender struct{ *Front }

// Send implements mail.Sender.
func (s sender) Send(ctx context.Context, m mail.Message) (id string, err error) {
	to, err := m.To.Mailbox()
	if err != nil {
		return "", fmt.Errorf("%w: %w", mail.ErrRejected, err)
	}
	sent := feedbacktest.Mail{
		ID: m.ID, Kind: string(m.Kind), About: m.About, Attempt: m.Attempt, To: to.Address, At: s.o.Now(),
	}
	b := s.begin(sent, "")
	sent.ProviderID = s.newID()
	if b.Fault.accepts() {
		s.accept(Accepted{Mail: sent, Message: m}, b.Events)
	}
	if b.Fault == NoFault {
		return sent.ProviderID, nil
	}
	return "", fmt.Errorf("sesfront: sending mail %s: %w", m.ID, failure(ctx, b.Fault))
}

// failure is the error that a fault causes; a Hang waits until the context ends.
func failure(ctx context.Context, fault Fault) error {
	said := errors.New("the fault " + string(fault))
	switch fault {
	case Refuse:
		dial := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
		return &mail.Failure{Kind: mail.ErrNotSent, Class: mail.ClassConnect, Err: dial}
	case ServerError, Unavailable:
		return &mail.Failure{Kind: mail.ErrNotSent, Class: mail.ClassServer, Err: said}
	case Gateway:
		return &mail.Failure{Class: "http 502", Err: said}
	case Throttle:
		return &mail.Failure{Kind: mail.ErrThrottled, Err: said}
	case QuotaGone:
		return &mail.Failure{Kind: mail.ErrDailyQuota, Err: said}
	case Reject:
		return &mail.Failure{Kind: mail.ErrRejected, Err: said}
	case Setup:
		return &mail.Failure{Kind: mail.ErrSetup, Err: said}
	case Hang, HangRefused:
		<-ctx.Done()
		return &mail.Failure{Class: mail.ClassTimeout, Err: ctx.Err()}
	}
	return &mail.Failure{Class: mail.ClassLost, Err: io.ErrUnexpectedEOF}
}

// Quota implements mail.Sender.
func (s sender) Quota(context.Context) (mail.Quota, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.quota(), nil
}
