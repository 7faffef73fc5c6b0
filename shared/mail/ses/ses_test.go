package ses

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/ses"

	"marketplace/shared/mail"
	"marketplace/shared/mail/eml"
)

var (
	from = mail.Address{Name: "License Sales", Email: "licenses@bücher.example"}
	now  = func() time.Time { return time.Date(2018, 2, 26, 9, 30, 0, 0, time.UTC) }
)

func message() mail.Message {
	return mail.Message{
		ID: "m1", Kind: mail.RequestReceived, About: "01c6x2m4 é/",
		Attempt: 2,
		To:      mail.Address{Name: "Zoë", Email: "zoe@müller.example"},
		Subject: "Grüße", Text: "Hello\n", HTML: "<p>Hello\n",
	}
}

// fake is an API that records its calls.
type fake struct {
	in    *sdk.SendRawEmailInput
	opts  sdk.Options
	quota sdk.GetSendQuotaOutput
	err   error
}

func (f *fake) SendRawEmail(
	_ context.Context, in *sdk.SendRawEmailInput, opts ...func(*sdk.Options),
) (*sdk.SendRawEmailOutput, error) {
	f.in = in
	for _, o := range opts {
		o(&f.opts)
	}
	return &sdk.SendRawEmailOutput{MessageId: aws.String("provider-1")}, f.err
}

func (f *fake) GetSendQuota(
	context.Context, *sdk.GetSendQuotaInput, ...func(*sdk.Options),
) (*sdk.GetSendQuotaOutput, error) {
	return &f.quota, f.err
}

func TestSend(t *testing.T) {
	f := &fake{}
	id, err := New(f, Options{From: from, ConfigurationSet: "licenses", Now: now}).Send(t.Context(), message())
	if err != nil || id != "provider-1" {
		t.Fatalf("got %q, %v, want provider-1", id, err)
	}
	if *f.in.Source != "licenses@xn--bcher-kva.example" || *f.in.ConfigurationSetName != "licenses" ||
		len(f.in.Destinations) != 1 || f.in.Destinations[0] != "zoe@xn--mller-kva.example" {
		t.Errorf("got %s from %s to %v", *f.in.ConfigurationSetName, *f.in.Source, f.in.Destinations)
	}
	tags := ""
	for _, tag := range f.in.Tags {
		tags += fmt.Sprintf("%s=%s ", *tag.Name, *tag.Value)
	}
	if tags != "mail=m1 kind=request-received about=01c6x2m4___ attempt=2 " {
		t.Errorf("got the tags %q", tags)
	}
	m, err := eml.Parse(bytes.NewReader(f.in.RawMessage.Data))
	if err != nil || m.Subject != "Grüße" || m.Text != "Hello\n" || !m.Date.Equal(now()) {
		t.Errorf("got %+v, %v", m, err)
	}
	if _, once := f.opts.Retryer.(aws.NopRetryer); !once {
		t.Error("the SDK may send again")
	}
}

func TestConfigurationSetIsOptional(t *testing.T) {
	f := &fake{}
	if _, err := New(f, Options{From: from, Now: now}).Send(t.Context(), message()); err != nil ||
		f.in.ConfigurationSetName != nil {
		t.Errorf("got the configuration set %v, %v, want none", f.in.ConfigurationSetName, err)
	}
}

func TestBadAddressNeverReachesSES(t *testing.T) {
	f := &fake{}
	m := message()
	m.To.Email = "zoe@example.org\r\nBcc: eve@example.org"
	if _, err := New(f, Options{From: from, Now: now}).Send(t.Context(), m); !errors.Is(err, mail.ErrRejected) ||
		f.in != nil {
		t.Errorf("bad recipient: got %v, want ErrRejected and no call", err)
	}
	badSender := Options{From: mail.Address{Email: "x"}, Now: now}
	if _, err := New(f, badSender).Send(t.Context(), message()); !errors.Is(err, mail.ErrSetup) || f.in != nil {
		t.Errorf("bad sender: got %v, want ErrSetup and no call", err)
	}
}

func TestQuota(t *testing.T) {
	for _, c := range []struct {
		quota sdk.GetSendQuotaOutput
		want  mail.Quota
	}{
		{sdk.GetSendQuotaOutput{Max24HourSend: 200, MaxSendRate: 1, SentLast24Hours: 199},
			mail.Quota{PerSecond: 1, PerDay: 200, SentLastDay: 199}},
		{sdk.GetSendQuotaOutput{Max24HourSend: 200, MaxSendRate: 1, SentLast24Hours: 200},
			mail.Quota{PerSecond: 1, PerDay: 200, SentLastDay: 200}},
		{sdk.GetSendQuotaOutput{Max24HourSend: -1, MaxSendRate: 14, SentLast24Hours: 1e6},
			mail.Quota{PerSecond: 14, SentLastDay: 1e6}},
		{sdk.GetSendQuotaOutput{Max24HourSend: 0, MaxSendRate: 1}, mail.Quota{PerSecond: 1, PerDay: 1}},
	} {
		if got, err := New(&fake{quota: c.quota}, Options{From: from, Now: now}).Quota(t.Context()); err != nil ||
			got != c.want {
			t.Errorf("%+v: got %+v, %v, want %+v", c.quota, got, err, c.want)
		}
	}
}

func TestTagsKeepToTheLimitOfSES(t *testing.T) {
	f := &fake{}
	m := message()
	m.About = strings.Repeat("a", 255) + "bc"
	if _, err := New(f, Options{From: from, Now: now}).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if about := aws.ToString(f.in.Tags[2].Value); about != strings.Repeat("a", 255)+"b" {
		t.Errorf("got a tag of %d characters, want 256: %s", len(about), about)
	}
}

// client returns the SDK's own client for an endpoint.
func client(endpoint string) *sdk.Client {
	return sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: &endpoint,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	})
}

// TestAPIErrorsBecomeErrorsOfMail sends through the SDK to a server that answers with SES's errors.
func TestAPIErrorsBecomeErrorsOfMail(t *testing.T) {
	const notVerified = "Email address is not verified. The following identities failed the check in region US-EAST-1: "
	other := errors.New("not an error of package mail")
	for _, c := range []struct {
		status        int
		code, message string
		want          error
	}{
		{400, "Throttling", "Maximum sending rate exceeded.", mail.ErrThrottled},
		{400, "Throttling", "Daily message quota exceeded.", mail.ErrThrottled},
		{400, "ThrottlingException", "Rate exceeded", mail.ErrThrottled},
		{400, "AccountSendingPausedException", "Sending is disabled", mail.ErrSetup},
		{400, "ConfigurationSetDoesNotExist", "Configuration set <licenses> does not exist.", mail.ErrSetup},
		{400, "ConfigurationSetSendingPausedException", "Sending is disabled", mail.ErrSetup},
		{400, "MailFromDomainNotVerifiedException", "no MX", mail.ErrSetup},
		{403, "AccessDenied", "User is not authorized to perform ses:SendRawEmail", mail.ErrSetup},
		{403, "SignatureDoesNotMatch", "Signature expired", mail.ErrSetup},
		{400, "MessageRejected", notVerified + "zoe@example.org, Licenses@xn--bcher-kva.example", mail.ErrSetup},
		{400, "MessageRejected", notVerified + "zoe@example.org", other},
		{400, "MessageRejected", "Sending paused for this account. For more information, please check the inbox.",
			mail.ErrSetup},
		{400, "MessageRejected", "Address blacklisted.", mail.ErrRejected},
		{400, "InvalidParameterValue", "Local address contains control or whitespace", mail.ErrRejected},
		{400, "InvalidParameterValue", "Message length is more than 10485760 bytes long", mail.ErrRejected},
		{500, "InternalFailure", "Unknown", other},
		{503, "ServiceUnavailable", "Try again", other},
		{400, "SomethingNew", "?", other},
	} {
		var calls atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "text/xml")
			w.WriteHeader(c.status)
			fmt.Fprintf(w, `<ErrorResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><Error><Type>Sender</Type>`+
				`<Code>%s</Code><Message>%s</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
				c.code, strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(c.message))
		}))
		_, err := New(client(server.URL), Options{From: from, Now: now}).Send(t.Context(), message())
		server.Close()
		if err == nil || !strings.Contains(err.Error(), c.code) {
			t.Errorf("%s %q: got %v, want the code in it", c.code, c.message, err)
		}
		for _, kind := range []error{mail.ErrThrottled, mail.ErrSetup, mail.ErrRejected} {
			if errors.Is(err, kind) != (kind == c.want) {
				t.Errorf("%s %q: got %v, want %v", c.code, c.message, err, c.want)
			}
		}
		if n := calls.Load(); n != 1 {
			t.Errorf("%s %q: got %d calls, want 1", c.code, c.message, n)
		}
	}
}

func TestLostConnectionIsNotRetried(t *testing.T) {
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		calls.Add(1)
		panic(http.ErrAbortHandler)
	}))
	defer server.Close()
	_, err := New(client(server.URL), Options{From: from, Now: now}).Send(t.Context(), message())
	if err == nil || errors.Is(err, mail.ErrThrottled) || errors.Is(err, mail.ErrSetup) ||
		errors.Is(err, mail.ErrRejected) || calls.Load() != 1 {
		t.Errorf("got %d calls, %v, want 1 call and an error of unknown outcome", calls.Load(), err)
	}
}
