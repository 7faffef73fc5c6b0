package ses

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/ses"
	"github.com/aws/aws-sdk-go-v2/service/ses/types"

	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/eml"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reminder"
)

// raw is a message that moto's SES accepted, as moto reports it.
type raw struct {
	ID           string   `json:"id"`
	Source       string   `json:"source"`
	Destinations []string `json:"destinations"`
	Data         string   `json:"raw_data"`
}

func sentThrough(t *testing.T, endpoint string) []raw {
	t.Helper()
	resp, err := http.Get(endpoint + "/moto-api/data.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var data struct {
		SES struct{ RawMessage []raw } `json:"ses"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&data); err != nil {
		t.Fatal(err)
	}
	return data.SES.RawMessage
}

// TestMoto sends through moto's SES, an independent server, and reads what arrived there.
func TestMoto(t *testing.T) {
	endpoint := os.Getenv("SES_ENDPOINT")
	if endpoint == "" {
		t.Skip("SES_ENDPOINT is not set: no SES to send through (infra/engines/with-moto.sh starts one)")
	}
	api, set := client(endpoint), "licenses"
	sender := New(api, Options{From: from, ConfigurationSet: set, Now: now})
	l := license.License{
		ID: "01c6x2m4", Organization: "Müller & Söhne", Edition: license.Developer, Type: license.Production,
		MaxLoc: 100_000,
		Server: "AWHW8w9JtzBzSrmf9GQX", Expiration: license.Date{Year: 2018, Month: 4, Day: 30},
	}
	letters := letter.Writer{URL: "https://licenses.example.com", Sales: mail.Address{Email: "sales@example.com"}}
	zoe := license.Contact{Name: "Zoë", Email: "zoe@müller.example"}
	today := l.Expiration.AddMonths(-2)
	n := notice.LicensesExpiring("customer1", today, zoe, 1)
	n.Due = []notice.Due{{License: l.ID, Expiration: l.Expiration, Stage: reminder.MonthsBefore(2)}}
	m, err := letters.Write(n, notice.Records{Today: today, Expiring: map[string]notice.Expiring{
		l.ID: {License: l, Contacts: []license.Contact{zoe}},
	}}, nil, letter.Call{})
	if err != nil {
		t.Fatal(err)
	}
	m.Attachments = []mail.Attachment{{
		Name: "license.txt", ContentType: "text/plain; charset=us-ascii",
		Data: []byte(strings.Repeat("Rm9ybWF0PTE=", 200)),
	}}

	if _, err := api.CreateConfigurationSet(t.Context(),
		&sdk.CreateConfigurationSetInput{ConfigurationSet: &types.ConfigurationSet{Name: &set}}); err != nil {
		var exists *types.ConfigurationSetAlreadyExistsException
		if !errors.As(err, &exists) {
			t.Fatal(err)
		}
	}
	unverified := New(api, Options{From: mail.Address{Email: "stranger@example.net"}, Now: now})
	if _, err := unverified.Send(t.Context(), m); err == nil { // moto has its own error message
		t.Error("an unverified sender may send")
	}
	mailbox, err := from.Mailbox()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.VerifyEmailIdentity(t.Context(),
		&sdk.VerifyEmailIdentityInput{EmailAddress: &mailbox.Address}); err != nil {
		t.Fatal(err)
	}

	id, err := sender.Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	sent := sentThrough(t, endpoint)
	i := slices.IndexFunc(sent, func(r raw) bool { return r.ID == id })
	if i < 0 {
		t.Fatalf("message %s did not arrive; %d others did", id, len(sent))
	}
	if sent[i].Source != mailbox.Address || sent[i].Destinations[0] != "zoe@xn--mller-kva.example" {
		t.Errorf("from %s to %v", sent[i].Source, sent[i].Destinations)
	}
	got, err := eml.Parse(strings.NewReader(sent[i].Data))
	if err != nil {
		t.Fatal(err)
	}
	want := m
	want.ID, want.Kind, want.About = "", "", "" // no header has them
	want.Text, want.HTML, want.Greeting = m.TextBody(), m.HTMLBody(), ""
	want.To.Email = "zoe@xn--mller-kva.example"
	if !reflect.DeepEqual(got.Message, want) {
		t.Errorf("arrived\n%#v\nsent\n%#v", got.Message, want)
	}

	if q, err := sender.Quota(t.Context()); err != nil || q.PerSecond <= 0 || q.Exhausted() {
		t.Errorf("quota %+v, %v", q, err)
	}
}
