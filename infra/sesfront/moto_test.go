package sesfront_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/ses"

	"marketplace/infra/sesfront"
	"marketplace/shared/mail"
	"marketplace/shared/mail/ses"
)

// TestMoto puts the front before moto's SES, which judges the calls and keeps the mails, but publishes nothing.
func TestMoto(t *testing.T) {
	endpoint := os.Getenv("SES_ENDPOINT")
	if endpoint == "" {
		t.Skip("SES_ENDPOINT is not set: no SES to send through (infra/engines/with-moto.sh starts one)")
	}
	c := newClock()
	f := sesfront.New(sesfront.Options{Now: c.Now, Publish: c.publish, Upstream: endpoint})
	from := mail.Address{Email: fmt.Sprintf("front-%d@vendor.example", time.Now().UnixNano())}
	for _, by := range []struct {
		way string
		api ses.API
	}{
		{"transport", ses.Client(f.Transport(), endpoint)}, // first: it verifies the sender
		{"network", ses.Client(http.DefaultTransport, serve(t, f))},
	} {
		way, api := by.way, by.api
		c.published = nil
		sender := ses.New(api, ses.Options{From: from, Now: c.Now})
		if _, err := sender.Send(t.Context(), message("m1", 1)); err == nil && way == "transport" {
			t.Errorf("%s: an unverified sender may send", way)
		}
		if _, err := api.(*sdk.Client).VerifyEmailIdentity(t.Context(),
			&sdk.VerifyEmailIdentityInput{EmailAddress: &from.Email}); err != nil {
			t.Fatalf("%s: %v", way, err)
		}
		c.now = c.now.Add(time.Hour)
		f.PublishDue()
		c.published = nil
		id, err := sender.Send(t.Context(), message("m2", 2))
		if err != nil {
			t.Fatalf("%s: %v", way, err)
		}
		if ids := sentThrough(t, endpoint); !slices.Contains(ids, id) {
			t.Errorf("%s: mail %s did not arrive", way, id)
		}
		f.SetDown(sesfront.AnswerLost)
		if _, err := sender.Send(t.Context(), message("m3", 1)); !mail.InDoubt(err) {
			t.Errorf("%s: got %v, want an error in doubt", way, err)
		}
		f.SetDown(sesfront.NoFault)
		c.now = c.now.Add(time.Hour)
		f.PublishDue()
		if got, want := strings.Join(c.published, ", "),
			"m2.2 Send, m3.1 Send, m2.2 Delivery, m3.1 Delivery"; got != want {
			t.Errorf("%s: got the events %s, want %s", way, got, want)
		}
		for _, a := range f.Accepted() {
			if ids := sentThrough(t, endpoint); !slices.Contains(ids, a.ProviderID) {
				t.Errorf("%s: moto does not know mail %s", way, a.ProviderID)
			}
		}
		if q, err := sender.Quota(t.Context()); err != nil || q.PerSecond <= 0 {
			t.Errorf("%s: got the quota %+v, %v, want moto's", way, q, err)
		}
	}
}

// sentThrough returns the IDs of the mails that moto accepted.
func sentThrough(t *testing.T, endpoint string) (ids []string) {
	t.Helper()
	resp, err := http.Get(endpoint + "/moto-api/data.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var data struct {
		SES struct{ RawMessage []struct{ ID string } } `json:"ses"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&data); err != nil {
		t.Fatal(err)
	}
	for _, m := range data.SES.RawMessage {
		ids = append(ids, m.ID)
	}
	return ids
}
