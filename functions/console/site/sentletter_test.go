package site

import (
	"context"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"marketplace/shared/mail"
	"marketplace/shared/mail/letter/sample"
	"marketplace/shared/mail/notice"
	"marketplace/shared/store/delivery"
)

// oneLetter is a store in which a single letter was sent.
type oneLetter struct {
	*delivery.Store
	sent *mail.Message
}

func (s oneLetter) Letter(context.Context, string, int) (mail.Message, error) { return *s.sent, nil }

// public are the parameters of links in our emails that say nothing secret.
var public = []string{"customer", "mail", "serverId", "loc", "ncloc", "kind", "edition", "show", "subject",
	"version"}

// secretsIn returns the values of all other parameters of the links in a text.
func secretsIn(t *testing.T, text string) (secrets []string) {
	for _, found := range regexp.MustCompile(`(https?:|mailto:)[^\s"'<>]+`).FindAllString(text, -1) {
		link, err := url.Parse(html.UnescapeString(found))
		if err != nil {
			t.Fatal(err)
		}
		for name, values := range link.Query() {
			if !slices.Contains(public, name) {
				secrets = append(secrets, values...)
			}
		}
	}
	return secrets
}

func TestSentEmailsAreShownWithoutTheSecretsOfTheirLinks(t *testing.T) {
	var sent mail.Message
	w := newTestEnv(t, func(o *Options) { o.Store = oneLetter{o.Store.(*delivery.Store), &sent} })
	c, err := sampleCatalog()
	if err != nil {
		t.Fatal(err)
	}
	samples, err := sample.Letters(letters, c)
	if err != nil {
		t.Fatal(err)
	}
	private := 0
	for _, l := range samples {
		sent = l.Message
		page := "/console/requests/" + notice.AboutID(sent.ID) + "/mails/" + sent.ID + "/1"
		shown := w.get(sam, page).WantStatus(200).Page()
		text, frame := shown.Find("pre.mail").Text(), w.get(sam, page+"/html").WantStatus(200).Body
		secrets := append(secretsIn(t, sent.TextBody()), secretsIn(t, sent.HTMLBody())...)
		private += len(secrets)
		for _, secret := range secrets {
			if strings.Contains(text, "="+secret) || strings.Contains(frame, "="+secret) {
				t.Errorf("%s: the console shows the secret %q of a link", l.Name, secret)
			}
		}
		for got, written := range map[string]string{text: sent.TextBody(), frame: sent.HTMLBody()} {
			if len(secrets) == 0 && got != written || len(secrets) > 0 && !strings.Contains(got, "token=…") {
				t.Errorf("%s: the console shows another email:\n%s", l.Name, got)
			}
		}
	}
	if private == 0 {
		t.Error("no sample letter has a private link")
	}
}
