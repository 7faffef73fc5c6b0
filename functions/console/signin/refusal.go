package signin

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"marketplace/shared/fault"
	"marketplace/shared/web"
)

// refusal says why somebody is not admitted. Its fault has the status of the answer and the sentence for the person.
type refusal struct {
	err    *fault.Error
	title  string
	reason string // for the log, with nothing about the person
	warn   bool   // somebody should look at the log
	who    string // the email address of who it is, if the provider proved that and the audit tells it; else ""

	// Actions on the page.
	again   string // text of a link to sign in; "" for none
	newTab  bool   // the link opens a new tab
	home    bool   // a link back to the console
	signOut string // text of a button to sign out; "" for none
}

// asSomeoneElse is the text of the button that signs out at the provider, which would otherwise choose the same person.
const asSomeoneElse = "Sign in as someone else"

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// stale refuses a sign-in that cannot be completed but can be started again.
func stale(reason string) *refusal {
	return &refusal{
		err: fault.New(fault.Invalid, "You started it in another browser or tab, completed it already, "+
			"or took longer than %d minutes. Start again.", int(attemptLife.Minutes())),
		title: "This sign-in cannot be completed", reason: reason, again: "Start again",
	}
}

// unproven refuses an answer of the provider that does not prove who somebody is.
func unproven(reason string, cause error) *refusal {
	return &refusal{
		err: fault.Wrap(fault.Forbidden, cause, "The answer from the sign-in service did not pass our checks. "+
			"Start again. If this happens again, contact an administrator."),
		title: "We could not verify who you are", reason: reason, again: "Start again",
	}
}

// unavailable reports a provider that does not respond.
func unavailable(reason string, cause error) *refusal {
	return &refusal{
		err: fault.Wrap(fault.Unavailable, cause, "The sign-in service is not responding. Try again in a minute. "+
			"People who are already signed in can keep working."),
		title: "Sign-in is unavailable", reason: reason, again: "Try again",
	}
}

// notRecorded reports a sign-in that could not be recorded.
func notRecorded(cause error) *refusal {
	return &refusal{
		err: fault.Wrap(fault.Unavailable, cause, "We could not record that you signed in, so you are not signed in. "+
			"Try again in a minute."),
		title: "Sign-in is unavailable", reason: "the sign-in cannot be recorded", again: "Try again",
	}
}

// notEnded reports a session whose end could not be recorded.
func notEnded(cause error) *refusal {
	return &refusal{
		err:   fault.Wrap(fault.Unavailable, cause, "We could not sign you out. Try again in a minute."),
		title: "You may still be signed in", reason: "the session cannot be ended", signOut: "Sign out",
	}
}

// notice is the data of the page "notice.html".
type notice struct {
	Title, Text string
	RefreshTo   string // where the browser goes on its own; "" to stay
	Link, To    string // a link: its text, "" for none, and its address
	NewTab      bool
	SignOut     string // the text of a button to sign out; "" for none
}

// refuse answers a refusal with its page, whose link to sign in leads on to a page of the console. It returns any other
// error to shared/web, which hides its cause.
func (g *Gate) refuse(w http.ResponseWriter, r *http.Request, err error, page string) error {
	var no *refusal
	if !errors.As(err, &no) {
		return err
	}
	g.logRefusal(r, no)
	n := notice{Title: no.title, Text: no.err.Msg, Link: no.again, To: signInFor(page), NewTab: no.newTab,
		SignOut: no.signOut}
	if no.home {
		n.Link, n.To = "Back to the console", Home
	}
	if no.err.Kind == fault.Unavailable {
		w.Header().Set("Retry-After", "60")
	}
	return g.show(w, web.ProblemOf(no).Status, n)
}

// logRefusal logs why somebody was not admitted and the cause, never who it was.
func (g *Gate) logRefusal(r *http.Request, err error) {
	level, reason, cause := slog.LevelError, "misconfigured", err
	var no *refusal
	if errors.As(err, &no) {
		level, reason, cause = slog.LevelInfo, no.reason, no.err.Err
		if no.warn || no.err.Kind == fault.Unavailable {
			level = slog.LevelWarn
		}
	}
	attrs := []slog.Attr{
		slog.String("reason", reason), slog.String("kind", fault.KindOf(err).String()), slog.String("route", r.Pattern),
	}
	if cause != nil {
		attrs = append(attrs, slog.String("cause", brief(cause.Error())))
	}
	g.log.LogAttrs(r.Context(), level, "sign-in refused", attrs...)
}

// brief returns the beginning of a text without email addresses: providers may answer with whole pages.
func brief(s string) string {
	words := strings.Fields(s)
	for i, word := range words {
		if strings.Contains(word, "@") {
			words[i] = "[redacted]"
		}
	}
	const maxWords = 40
	return strings.Join(words[:min(len(words), maxWords)], " ")
}

// wellFormed returns a provider's error code, if it looks like one: it arrives by way of the browser and could be
// anything.
func wellFormed(code string) string {
	if len(code) > 40 || strings.ContainsFunc(code, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') }) {
		return "of no known form"
	}
	return code
}
