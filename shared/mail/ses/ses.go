// Package ses is the mail.Sender over Amazon SES. It uses the first API: SendRawEmail and GetSendQuota. It tries every
// call once: the outbox decides whether to retry, since a retry may send a mail twice.
package ses

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ses"
	"github.com/aws/aws-sdk-go-v2/service/ses/types"

	"marketplace/shared/mail"
	"marketplace/shared/mail/eml"
)

// API is the part of SES that a Sender calls; *ses.Client of the SDK implements it.
type API interface {
	SendRawEmail(context.Context, *sdk.SendRawEmailInput, ...func(*sdk.Options)) (*sdk.SendRawEmailOutput, error)
	GetSendQuota(context.Context, *sdk.GetSendQuotaInput, ...func(*sdk.Options)) (*sdk.GetSendQuotaOutput, error)
}

// Options are what a Sender needs besides the API.
type Options struct {
	From             mail.Address     // an identity that SES has verified
	ConfigurationSet string           // "": none
	Now              func() time.Time // the clock
}

// Sender sends through SES.
type Sender struct {
	api API
	o   Options
}

var _ mail.Sender = (*Sender)(nil)

// New returns a Sender.
func New(api API, o Options) *Sender { return &Sender{api, o} }

// Send implements mail.Sender. The returned ID is SES's message ID, which is also the part before the @ of the
// Message-ID that the recipient sees. The message's ID, kind, subject and attempt become tags, which SES repeats in its
// events: an event identifies its mail and the call that sent it even if SES's answer was lost.
func (s *Sender) Send(ctx context.Context, m mail.Message) (id string, err error) {
	raw, err := eml.Format(m, s.o.From, s.o.Now())
	if err != nil {
		return "", fmt.Errorf("ses: %w", err)
	}
	// Format has checked both addresses.
	from, _ := s.o.From.Mailbox()
	to, _ := m.To.Mailbox()
	in := &sdk.SendRawEmailInput{
		Source:       &from.Address,
		Destinations: []string{to.Address},
		RawMessage:   &types.RawMessage{Data: raw},
		Tags:         tags(m),
	}
	if s.o.ConfigurationSet != "" {
		in.ConfigurationSetName = &s.o.ConfigurationSet
	}
	var call progress
	out, err := s.api.SendRawEmail(call.watch(ctx), in, once)
	if err != nil {
		return "", fmt.Errorf("ses: sending mail %s: %w", m.ID, s.explain(err, &call))
	}
	return aws.ToString(out.MessageId), nil
}

// once keeps the SDK from resending a mail that SES may have accepted.
func once(o *sdk.Options) { o.Retryer = aws.NopRetryer{} }

// tags returns the message's tags with the characters that SES allows, without the empty ones.
func tags(m mail.Message) (tags []types.MessageTag) {
	attempt := ""
	if m.Attempt > 0 {
		attempt = strconv.Itoa(m.Attempt)
	}
	for _, tag := range [][2]string{
		{"mail", m.ID}, {"kind", string(m.Kind)}, {"about", m.About}, {"attempt", attempt},
	} {
		value := strings.Map(func(r rune) rune {
			switch {
			case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '_', r == '-':
				return r
			}
			return '_'
		}, tag[1])
		if value != "" {
			value = value[:min(len(value), 256)]
			tags = append(tags, types.MessageTag{Name: aws.String(tag[0]), Value: aws.String(value)})
		}
	}
	return tags
}

// Quota implements mail.Sender.
func (s *Sender) Quota(ctx context.Context) (mail.Quota, error) {
	out, err := s.api.GetSendQuota(ctx, &sdk.GetSendQuotaInput{})
	if err != nil {
		return mail.Quota{}, fmt.Errorf("ses: reading the quota: %w", s.explain(err, nil))
	}
	q := mail.Quota{PerSecond: out.MaxSendRate, SentLastDay: int(math.Ceil(out.SentLast24Hours))}
	const unlimited = -1
	if out.Max24HourSend != unlimited {
		q.PerDay = max(1, int(out.Max24HourSend))
	}
	return q, nil
}

// errorOfCode maps SES's error codes to the errors of package mail ("Errors related to the sending quotas",
// "SendRawEmail: Errors" and "Common Error Types" of the SES API Reference). Any other code is mail.ErrNotSent.
var errorOfCode = map[string]error{
	// "Maximum sending rate exceeded" and "Daily message quota exceeded" have the same code: see refusal.
	"Throttling":               mail.ErrThrottled,
	"ThrottlingException":      mail.ErrThrottled,
	"TooManyRequestsException": mail.ErrThrottled,
	"LimitExceededException":   mail.ErrThrottled,
	"RequestLimitExceeded":     mail.ErrThrottled,

	"AccountSendingPausedException":          mail.ErrSetup,
	"ConfigurationSetDoesNotExist":           mail.ErrSetup,
	"ConfigurationSetDoesNotExistException":  mail.ErrSetup,
	"ConfigurationSetSendingPausedException": mail.ErrSetup,
	"MailFromDomainNotVerifiedException":     mail.ErrSetup,
	"AccessDenied":                           mail.ErrSetup,
	"AccessDeniedException":                  mail.ErrSetup,
	"ExpiredToken":                           mail.ErrSetup,
	"ExpiredTokenException":                  mail.ErrSetup,
	"IncompleteSignature":                    mail.ErrSetup,
	"InvalidClientTokenId":                   mail.ErrSetup,
	"MissingAuthenticationToken":             mail.ErrSetup,
	"NotAuthorized":                          mail.ErrSetup,
	"OptInRequired":                          mail.ErrSetup,
	"SignatureDoesNotMatch":                  mail.ErrSetup,
	"UnrecognizedClientException":            mail.ErrSetup,

	"InvalidParameterValue": mail.ErrRejected, // an address, or a message of more than 10 MB
	"MessageRejected":       mail.ErrRejected, // but see rejection
	"ValidationError":       mail.ErrRejected,
}

// rejection distinguishes what SES always calls MessageRejected: an account that may not send, a sender that is not
// verified, and a message that SES rejects. An unverified recipient is an error of SES's sandbox only and may be
// verified until the next try.
func (s *Sender) rejection(message string) error {
	switch {
	case strings.Contains(message, "sending paused"), strings.Contains(message, "sending suspended"),
		strings.Contains(message, "account is paused"):
		return mail.ErrSetup
	case strings.Contains(message, "not verified"):
		if from, err := s.o.From.Mailbox(); err == nil && strings.Contains(message, strings.ToLower(from.Address)) {
			return mail.ErrSetup
		}
		return mail.ErrNotSent
	}
	return mail.ErrRejected
}
