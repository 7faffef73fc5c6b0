package signin

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"marketplace/shared/fault"
	"marketplace/shared/web"
)

// refusal is why somebody does not come in. Its fault's kind is the answer's status, and the fault's sentence is what the
// person is told.
type refusal struct {
	err    *fault.Error
	title  string
	reason string // for the log; nothing about the person

	// What the page offers.
	again   string // the words of a link to sign in; "" for none
	newTab  bool   // sign in beside this page
	home    bool   // back to the console
	signOut string // the words of a button to sign out; "" for none
}

// asSomebodyElse signs out at the provider, which else would answer the same again.
const asSomebodyElse = "Sign in as somebody else"

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// stale is a sign-in that cannot be finished and can be begun again.
func stale(reason string) *refusal {
	return &refusal{
		err:   fault.New(fault.Invalid, "It was begun in another browser or tab, was finished already, or took longer than %d minutes.", int(attemptLife.Minutes())),
		title: "This sign-in cannot be finished", reason: reason, again: "Start again",
	}
}

// unproven is an answer of the provider that does not prove who somebody is.
func unproven(reason string, cause error) *refusal {
	return &refusal{
		err:   fault.Wrap(fault.Forbidden, cause, "The answer of the sign-in service did not pass our checks, so it was not used. Start again; if this comes back, tell an administrator."),
		title: "You could not be identified", reason: reason, again: "Start again",
	}
}

// unavailable is a provider that does not answer.
func unavailable(reason string, cause error) *refusal {
	return &refusal{
		err:   fault.Wrap(fault.Unavailable, cause, "The sign-in service does not answer at the moment. Try again in a minute; who is signed in already can go on working."),
		title: "Signing in does not work right now", reason: reason, again: "Try again",
	}
}

// notEnded is a session whose end could not be noted.
func notEnded(cause error) *refusal {
	return &refusal{
		err:   fault.Wrap(fault.Unavailable, cause, "That you signed out could not be recorded. Try again in a minute."),
		title: "You may still be signed in", reason: "the session cannot be ended", signOut: "Sign out",
	}
}

// notice is the data of the page "notice.html".
type notice struct {
	Title, Text string
	Onward      string // where the browser goes by itself; "" to stay
	Go, To      string // a link: its words, "" for none, and its address
	NewTab      bool
	SignOut     string // a button to sign out: its words, "" for none
}

// refuse answers with a refusal's page; its link to sign in leads to the page of the console then. Any other error goes on
// to shared/web, which tells nobody its cause.
func (g *Gate) refuse(w http.ResponseWriter, r *http.Request, err error, page string) error {
	var no *refusal
	if !errors.As(err, &no) {
		return err
	}
	g.tell(r, no)
	n := notice{Title: no.title, Text: no.err.Msg, Go: no.again, To: signInFor(page), NewTab: no.newTab, SignOut: no.signOut}
	if no.home {
		n.Go, n.To = "Back to the console", Home
	}
	if no.err.Kind == fault.Unavailable {
		w.Header().Set("Retry-After", "60")
	}
	return g.show(w, web.ProblemOf(no).Status, n)
}

// tell notes an error in the log: why and with which cause, never who.
func (g *Gate) tell(r *http.Request, err error) {
	level, reason, cause := slog.LevelError, "misconfigured", err
	var no *refusal
	if errors.As(err, &no) {
		level, reason, cause = slog.LevelInfo, no.reason, no.err.Err
		if no.err.Kind == fault.Unavailable {
			level = slog.LevelWarn
		}
	}
	attrs := []slog.Attr{slog.String("reason", reason), slog.String("kind", fault.KindOf(err).String()), slog.String("route", r.Pattern)}
	if cause != nil {
		attrs = append(attrs, slog.String("cause", brief(cause.Error())))
	}
	g.log.LogAttrs(r.Context(), level, "not let in", attrs...)
}

// brief is the beginning of a text, without addresses: providers answer with whole pages, of whatever.
func brief(s string) string {
	words := strings.Fields(s)
	for i, word := range words {
		if strings.Contains(word, "@") {
			words[i] = "[redacted]"
		}
	}
	const most = 40
	return strings.Join(words[:min(len(words), most)], " ")
}

// wellFormed is a provider's error code, if it is one: it comes by way of the browser, and could be anything.
func wellFormed(code string) string {
	if len(code) > 40 || strings.ContainsFunc(code, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') }) {
		return "of no known form"
	}
	return code
}
