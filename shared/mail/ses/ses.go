// Package ses is the mail.Sender over Amazon SES, by its first API: SendRawEmail and GetSendQuota. It tries everything
// once; trying again is the outbox's affair, which knows what a second try may cost.
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

// API is what is called of SES; *ses.Client of the SDK has it.
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

// New makes a Sender.
func New(api API, o Options) *Sender { return &Sender{api, o} }

// Send implements mail.Sender. The ID is SES's message ID, which is also the Message-ID's part before the @ that the
// reader sees. The message carries its ID, its kind and what it is about as tags, which SES's events about it bring back:
// so they tell which mail they are about, also before its message ID is on record.
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

// once keeps the SDK from sending again what may have been taken.
func once(o *sdk.Options) { o.Retryer = aws.NopRetryer{} }

// tags makes message tags, of the characters that SES allows in them; what is empty is left out.
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
			tags = append(tags, types.MessageTag{Name: aws.String(name), Value: aws.String(value[:min(len(value), 256)])})
		}
	}
	return tags
}

// Quota implements mail.Sender.
func (s *Sender) Quota(ctx context.Context) (mail.Quota, error) {
	out, err := s.api.GetSendQuota(ctx, &sdk.GetSendQuotaInput{})
	if err != nil {
		return mail.Quota{}, fmt.Errorf("ses: asking for the quota: %w", s.explain(err))
	}
	const unlimited = -1
	return mail.Quota{
		PerSecond: out.MaxSendRate,
		Exhausted: out.Max24HourSend != unlimited && out.SentLast24Hours >= out.Max24HourSend,
	}, nil
}

// meaning is what an error code of SES means to a sender ("Errors related to the sending quotas", "SendRawEmail: Errors"
// and "Common Error Types" of the SES API Reference). A code that is not here may mean that the message was taken.
var meaning = map[string]error{
	// "Maximum sending rate exceeded" and "Daily message quota exceeded" bear the same code.
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

// explain says what an error of the API means, as one of mail's errors where it is one.
func (s *Sender) explain(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err
	}
	kind := meaning[api.ErrorCode()]
	if api.ErrorCode() == "MessageRejected" {
		kind = s.rejection(strings.ToLower(api.ErrorMessage()))
	}
	said := fmt.Sprintf("%s: %s", api.ErrorCode(), api.ErrorMessage())
	if kind == nil {
		return fmt.Errorf("%s: %w", said, err)
	}
	return fmt.Errorf("%w: %s", kind, said)
}

// rejection tells apart what SES all calls MessageRejected: an account that may not send, a sender that is not verified,
// and a message that is not wanted. In the sandbox recipients have to be verified too; that passes, so it is none of mail's
// errors.
func (s *Sender) rejection(message string) error {
	switch {
	case strings.Contains(message, "sending paused"), strings.Contains(message, "sending suspended"), strings.Contains(message, "account is paused"):
		return mail.ErrSetup
	case strings.Contains(message, "not verified"):
		if from, err := s.o.From.Mailbox(); err == nil && strings.Contains(message, strings.ToLower(from.Address)) {
			return mail.ErrSetup
		}
		return nil
	}
	return mail.ErrRejected
}
