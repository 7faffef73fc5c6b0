// Package ses is the mail.Sender over Amazon SES. It uses the first API: SendRawEmail and GetSendQuota. It tries every
// call once: the outbox decides whether to retry, since a retry may send a mail twice.
package ses

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ses"
	"github.com/aws/aws-sdk-go-v2/service/ses/types"
	"github.com/aws/smithy-go"

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
// Message-ID that the recipient sees. The message's ID, kind and what it is about become tags, which SES repeats in
// its events: an event identifies its mail even before we have stored the message ID.
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
		Tags:         tags(map[string]string{"mail": m.ID, "kind": string(m.Kind), "about": m.About}),
	}
	if s.o.ConfigurationSet != "" {
		in.ConfigurationSetName = &s.o.ConfigurationSet
	}
	out, err := s.api.SendRawEmail(ctx, in, once)
	if err != nil {
		return "", fmt.Errorf("ses: sending mail %s: %w", m.ID, s.explain(err))
	}
	return aws.ToString(out.MessageId), nil
}

// once keeps the SDK from resending a mail that SES may have accepted.
func once(o *sdk.Options) { o.Retryer = aws.NopRetryer{} }

// tags returns message tags with the characters that SES allows, without the empty ones.
func tags(values map[string]string) (tags []types.MessageTag) {
	for _, name := range []string{"mail", "kind", "about"} {
		value := strings.Map(func(r rune) rune {
			switch {
			case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '_', r == '-':
				return r
			}
			return '_'
		}, values[name])
		if value != "" {
			value = value[:min(len(value), 256)]
			tags = append(tags, types.MessageTag{Name: aws.String(name), Value: aws.String(value)})
		}
	}
	return tags
}

// Quota implements mail.Sender.
func (s *Sender) Quota(ctx context.Context) (mail.Quota, error) {
	out, err := s.api.GetSendQuota(ctx, &sdk.GetSendQuotaInput{})
	if err != nil {
		return mail.Quota{}, fmt.Errorf("ses: reading the quota: %w", s.explain(err))
	}
	const unlimited = -1
	return mail.Quota{
		PerSecond: out.MaxSendRate,
		Exhausted: out.Max24HourSend != unlimited && out.SentLast24Hours >= out.Max24HourSend,
	}, nil
}

// errorOfCode maps SES's error codes to the errors of package mail ("Errors related to the sending quotas",
// "SendRawEmail: Errors" and "Common Error Types" of the SES API Reference). After any other code, SES may have
// accepted the message.
var errorOfCode = map[string]error{
	// "Maximum sending rate exceeded" and "Daily message quota exceeded" have the same code.
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
	"MessageRejected":       mail.ErrRejected, // but see explain
	"ValidationError":       mail.ErrRejected,
}

// explain wraps an error of the API in the error of package mail that it means, if any.
func (s *Sender) explain(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err
	}
	kind := errorOfCode[api.ErrorCode()]
	if api.ErrorCode() == "MessageRejected" {
		kind = s.rejection(strings.ToLower(api.ErrorMessage()))
	}
	said := fmt.Sprintf("%s: %s", api.ErrorCode(), api.ErrorMessage())
	if kind == nil {
		return fmt.Errorf("%s: %w", said, err)
	}
	return fmt.Errorf("%w: %s", kind, said)
}

// rejection distinguishes what SES always calls MessageRejected: an account that may not send, a sender that is not
// verified, and a message that SES rejects. An unverified recipient, an error of SES's sandbox only, is none of mail's
// errors.
func (s *Sender) rejection(message string) error {
	switch {
	case strings.Contains(message, "sending paused"), strings.Contains(message, "sending suspended"),
		strings.Contains(message, "account is paused"):
		return mail.ErrSetup
	case strings.Contains(message, "not verified"):
		if from, err := s.o.From.Mailbox(); err == nil && strings.Contains(message, strings.ToLower(from.Address)) {
			return mail.ErrSetup
		}
		return nil
	}
	return mail.ErrRejected
}
