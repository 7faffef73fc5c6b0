package site

import (
	"cmp"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/store"
	"marketplace/shared/store/audit"
	"marketplace/shared/store/delivery"
)

// auditLine says what was done to what.
type auditLine struct {
	Action   string
	Of       mention // what it was done to; empty for nothing that has a name
	Customer mention // whose that is, where Of does not say so
	Detail   string
	By       string // who did it, if it was not who made the change
}

// auditLinesShown is how many lines of one change the audit shows at once.
const auditLinesShown = 6

// auditEntries puts entries into words. What they are about is named as it is called now, as far as the filter selects
// it.
func (s *site) auditEntries(r *http.Request, list []audit.Entry, f auditFilter) ([]auditEntry, error) {
	var named []store.Subject
	for _, e := range list {
		for _, d := range e.Done[:min(len(e.Done), auditLinesShown)] {
			of, whose := subjectsOfAudit(d)
			named = append(named, of, whose)
		}
	}
	words, err := s.vocabulary(r, nil, named...)
	if err != nil {
		return nil, err
	}
	var entries []auditEntry
	for _, e := range list {
		shown := auditEntry{At: e.At, By: actorName(e.By, words.colleagues)}
		for i, d := range e.Done {
			line := lineOfAudit(d, words)
			if i < auditLinesShown {
				shown.Lines = append(shown.Lines, line)
			} else {
				shown.More = append(shown.More, line)
			}
		}
		entries = append(entries, shown)
	}
	return entries, nil
}

// actorName names who acts.
func actorName(by string, names colleagues) string {
	switch by {
	case store.Customer:
		return "A customer"
	case store.System:
		return "The system"
	}
	return names.name(by)
}

// aboutPrefixes begin what entries are about where that is a request or a license.
const (
	auditedRequest      = "REQUEST#"
	auditedLicense      = "LICENSE#"
	auditedSubscription = "UNSUBSCRIBED#"
	auditedPerson       = "COLLEAGUE#"
)

// subjectsOfAudit returns what a change is about, and whose that is where it is not a customer's itself.
func subjectsOfAudit(d audit.Done) (of, whose store.Subject) {
	owners := d.Customers()
	if len(owners) > 0 {
		whose.Customer = owners[len(owners)-1] // to whom it passed
	}
	if id, ok := strings.CutPrefix(d.On, auditedRequest); ok {
		return store.Subject{Request: id}, whose
	}
	for _, prefix := range []string{auditedLicense, auditedSubscription} {
		if id, ok := strings.CutPrefix(d.On, prefix); ok {
			return store.Subject{License: id}, whose
		}
	}
	if id, ok := strings.CutPrefix(d.Of, store.OfLicense("")); ok {
		return store.Subject{License: id}, whose
	}
	return whose, store.Subject{}
}

// lineOfAudit puts a change into words.
func lineOfAudit(d audit.Done, words vocabulary) auditLine {
	of, whose := subjectsOfAudit(d)
	line := auditLine{Action: actionLabel(d.Action), Of: words.of(of), Customer: words.of(whose), Detail: detailOf(d)}
	if strings.HasSuffix(line.Of.Text, ", "+line.Customer.Text) {
		line.Customer = mention{} // its name says so
	}
	if d.By != "" {
		line.By = actorName(d.By, words.colleagues)
	}
	if email, ok := strings.CutPrefix(d.On, auditedPerson); ok {
		if _, known := words.colleagues[email]; !known {
			line.Of = mention{Text: email}
		}
	}
	if id, ok := strings.CutPrefix(d.Of, store.OfInstance("")); ok {
		line.Customer, line.Of = line.Of, mention{Text: "an instance"}
		if to := line.Customer.To; to != "" {
			line.Of.To = to + "/instances/" + id
		}
	}
	if strings.HasPrefix(d.Of, store.OfContract("")) {
		line.Customer, line.Of = line.Of, mention{Text: "a contract"}
	}
	return line
}

// detailOf says the note of what has no timeline.
func detailOf(d audit.Done) string {
	switch {
	case d.Action == store.SignedIn && d.Detail != "":
		return "with the role " + d.Detail
	case d.Action == audit.Exported:
		return strings.TrimSuffix(strings.TrimPrefix(d.On, audit.ExportPrefix)+": "+d.Detail, ": ")
	case d.Action == delivery.DailyRunEnded:
		if day, err := license.ParseDate(d.Detail); err == nil {
			return "for " + day.Long()
		}
	case d.Action == delivery.MailTriedAgain, d.Action == delivery.MailSentAgain:
		return cmp.Or(mailName(mail.Kind(d.Detail)), d.Detail)
	}
	return d.Detail
}

// actionLabel is an action at the beginning of a line.
func actionLabel(a store.Action) string {
	text := actionText(a)
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

func compareLabels(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }
