package site

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/web"
)

// eventView is a line of a timeline.
type eventView struct {
	ID      string
	At      time.Time
	By      string // a colleague's name, or who else acted; "" for the system
	Action  string
	Note    string // text of the person who acted
	Link    string // the page of what the event names; "" for none
	About   string // the text of the link
	Changes []changeView
	Closes  bool // it closed the request or revoked the license
}

type changeView struct{ Field, Before, After string }

// timelineView returns events as pages show them, newest first.
func timelineView(events []store.Event, names colleagues) (list []eventView) {
	for _, e := range slices.Backward(events) {
		v := eventView{ID: e.ID, At: e.At, By: names.name(e.By), Action: actionText(e.Action), Note: e.Note}
		if e.By == store.System {
			v.By = ""
		}
		switch e.Action {
		case store.RequestIssued, store.LicenseSuccessorSet, store.LicenseReplaced:
			v.Note, v.About, v.Link = "", "license "+e.Note, "/console/licenses/"+e.Note
		case delivery.MailTriedAgain, delivery.MailSentAgain:
			kind, to := delivery.ParseMailNote(e.Note)
			v.Note = mailName(kind)
			if to != "" {
				v.Note += " to " + to
			}
		case store.LicenseIssued:
			v.Note, v.About, v.Link = "", "request "+e.Note, "/console/requests/"+e.Note
		}
		if e.Note == "" {
			v.Link = ""
		}
		for _, c := range e.Changes {
			v.Closes = v.Closes || c.Field == "closed" || c.Field == "revoked"
			if e.Note != "" && plain(c.After) == e.Note {
				continue // shown as the note
			}
			v.Changes = append(v.Changes, changeView{
				Field:  fieldName(c.Field),
				Before: inWords(c.Field, c.Before, names), After: inWords(c.Field, c.After, names),
			})
		}
		list = append(list, v)
	}
	return list
}

// actionText returns an action as pages show it. Stored timelines keep the texts that the store gave them.
func actionText(a store.Action) string {
	if text, ok := map[store.Action]string{
		store.CustomerAsked:       "asked the customer",
		store.LicenseSuccessorSet: "renewed by", store.LicenseSuccessorRevoked: "renewal revoked",
		delivery.MailBounced: "email bounced", delivery.MailComplained: "email marked as spam",
		delivery.MailRefused: "email rejected by the provider", delivery.MailReturned: "email bounced temporarily",
		delivery.MailAnswered:    "email bounced temporarily, or was answered automatically",
		delivery.MailRepeated:    "email will be sent again in a day",
		delivery.MailDelayed:     "email delayed",
		delivery.MailReaddressed: "email redirected to the next contact",
		delivery.MailTriedAgain:  "failed email tried again", delivery.MailSentAgain: "email sent again",
		delivery.ContactsUnreached: "no contact can be reached",
		delivery.SuppressionLifted: "emails to the address resumed", store.PackageTailored: "custom package built",
	}[a]; ok {
		return text
	}
	return string(a)
}

// fieldName returns the label of a field of a request or a license.
func fieldName(name string) string {
	if known, ok := map[string]string{
		"state": "Status", "reviewer": "Reviewer", "question": "Question", "reason": "Reason", "licenses": "Licenses",
		"closed": "Closed", "successor": "Renewed by", "muted": "Reminders muted", "revoked": "Revoked",
		"revokedReason": "Reason", "replacedBy": "Replaced by", "packages": "Packages",
	}[name]; ok {
		return known
	}
	return name
}

// inWords returns the JSON value of a field as pages show it.
func inWords(field, value string, names colleagues) string {
	words := plain(value)
	switch {
	case words == "":
		return ""
	case field == "state":
		return stateBadge(request.State(words)).Text
	case field == "reviewer":
		return names.name(words)
	}
	return words
}

// plain returns a JSON value as people write it.
func plain(value string) string {
	var v any
	if value == "" || json.Unmarshal([]byte(value), &v) != nil {
		return value
	}
	switch v := v.(type) {
	case string:
		if at, err := time.Parse(time.RFC3339, v); err == nil {
			return web.Instant(at)
		}
		if day, err := license.ParseDate(v); err == nil {
			return day.Long()
		}
		return v
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case float64:
		return web.Number(int64(v))
	case []any:
		var parts []string
		for _, part := range v {
			if s, ok := part.(string); ok {
				parts = append(parts, s)
			}
		}
		if len(parts) == len(v) {
			return strings.Join(parts, ", ")
		}
	}
	return value
}

// lastOf returns the ID of the last event; "" if there is none.
func lastOf(events []store.Event) string {
	if len(events) == 0 {
		return ""
	}
	return events[len(events)-1].ID
}

// since returns the events after the last one that somebody saw.
func since(events []store.Event, seen string) []store.Event {
	i := slices.IndexFunc(events, func(e store.Event) bool { return e.ID > seen })
	if i < 0 {
		return nil
	}
	return events[i:]
}

// isRepeat reports whether the last event is the same action by the same person: a form that was submitted twice.
func isRepeat(events []store.Event, who string, action store.Action, note string) bool {
	if len(events) == 0 {
		return false
	}
	last := events[len(events)-1]
	return last.By == who && last.Action == action && last.Note == note
}
