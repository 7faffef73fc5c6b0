package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"marketplace/shared/license"
	"marketplace/shared/web/webtest"
)

var signInLink = regexp.MustCompile(`http://\S+/account/signin/\S+`)

// signIn: the further contact gets a link by email, wakes nobody but the mailer, and types the code.
func (j *journey) signIn() error {
	j.bob = *newBrowser(j.ctx)
	if err := j.bob.open(j.URL + "/account"); err != nil {
		return err
	}
	if err := j.bob.press("Email me a link", with(map[string]string{"email": bob})); err != nil {
		return err
	}
	code := webtest.Text(j.bob.page.Find("#code"))
	if err := j.Settle(j.ctx); err != nil {
		return err
	}
	m, err := j.mailTo("sign-in-link", bob)
	if err != nil {
		return err
	}
	if strings.Contains(m.Text, code) || code == "" {
		return fmt.Errorf("the email has the code %q", code)
	}
	if err := j.bob.open(signInLink.FindString(m.Text)); err != nil {
		return err
	}
	if err := j.bob.press("Sign in", with(map[string]string{"code": code})); err != nil {
		return err
	}
	if text := j.bob.main(); j.bob.at.Path != "/account" || !strings.Contains(text, "Acme AG") {
		return fmt.Errorf("signing in led to %s: %s", j.bob.at, text)
	}
	return j.openLinkAgain(m.Text)
}

// moved is the server ID that the server of the journey gets.
const moved = "BCDE1234-AWHW8w9JtzBzSrmf9GQY"

// bridge: the contact says that the server ID changed, and gets a key for the new one at once: the stream wakes the
// bridge function, and no schedule does.
func (j *journey) bridge() error {
	form := j.bob.page.Find("main a[href^='/account/instances/']").First().AttrOr("href", "")
	parts := strings.Split(form, "/")
	if len(parts) < 4 {
		return fmt.Errorf("the account has no installation: %s", j.bob.main())
	}
	if err := j.bob.open("/account/instances/" + parts[3] + "/bridge"); err != nil {
		return err
	}
	err := j.bob.press("Request replacement and bridge key", with(map[string]string{
		"serverId": moved, "oldServer": "stopped",
	}))
	if err != nil {
		return err
	}
	if err := j.Settle(j.ctx); err != nil {
		return err
	}
	m, err := j.mailTo("license-key", bob)
	if err != nil {
		return err
	}
	if len(m.Attachments) == 0 {
		return errors.New("the mail with the bridge key has no attachment")
	}
	text, _ := license.Unmangle(string(m.Attachments[0].Data))
	key, err := license.Read(text)
	if err != nil || key.Server != moved || key.Kid != "local-bridge-1" || key.Days() > license.BridgeDays {
		return fmt.Errorf("the newest key is for %s of %s with %d days, %v", key.Server, key.Kid, key.Days(), err)
	}
	return j.checkKey(text, moved)
}

// openLinkAgain: a link signs in once.
func (j *journey) openLinkAgain(text string) error {
	if err := newBrowser(j.ctx).open(signInLink.FindString(text)); err == nil {
		return errors.New("the link can be used again")
	}
	return nil
}
