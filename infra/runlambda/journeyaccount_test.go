package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

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

// openLinkAgain: a link signs in once.
func (j *journey) openLinkAgain(text string) error {
	if err := newBrowser(j.ctx).open(signInLink.FindString(text)); err == nil {
		return errors.New("the link can be used again")
	}
	return nil
}
