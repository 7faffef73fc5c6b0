package site

import (
	"slices"
	"strings"
	"time"

	"marketplace/shared/lazyregexp"
	"marketplace/shared/license"
	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
)

// eventView is a line of a timeline.
type eventView struct {
	ID      string
	At      time.Time
	By      string // a colleague's name, or who else acted; "" for the system
	Action  string
	Note    string  // text of the person who acted
	About   mention // what the event names; empty for nothing
	Changes []changeView
	Closes  bool // it closed the request or revoked the license
}

// changeView is a field before and after; none for no value.
type changeView struct {
	Field         string
	Before, After []mention
}

// timelineView returns events as pages show them, newest first.
func timelineView(events []store.Event, words vocabulary) (list []eventView) {
	for _, e := range slices.Backward(events) {
		v := eventView{
			ID: e.ID, At: e.At, By: words.colleagues.name(e.By), Action: actionText(e.Action), Note: e.Note,
		}
		if e.By == store.System {
			v.By = ""
		}
		v.sayNote(e, words)
		for _, c := range e.Changes {
			v.Closes = v.Closes || c.Field == "closed" || c.Field == "revoked"
			shownAsNote := e.Note != "" && strings.Join(texts(decode(c.After)), ", ") == e.Note
			if field, ok := fields[c.Field]; ok && !shownAsNote {
				v.Changes = append(v.Changes, changeView{
					field.label, field.inWords(c.Before, words), field.inWords(c.After, words),
				})
			}
		}
		list = append(list, v)
	}
	return list
}

// sayNote puts the note of an event into words, where it is not a person's own.
func (v *eventView) sayNote(e store.Event, words vocabulary) {
	switch e.Action {
	case store.RequestIssued, store.RequestAnswered, store.LicenseSuccessorSet, store.LicenseReplaced:
		v.Note, v.About = "", words.of(licenseOf(e.Note))
	case store.RequestLinked:
		v.Note, v.About = "", words.of(customerOf(e.Note))
	case store.ContactSaidYes, store.ContactSaidNo:
		v.Note, v.About = "", mention{Text: e.Note}
	case store.LicenseIssued, store.BridgeIssued:
		v.Note, v.About = "", words.of(requestOf(e.Note))
	case delivery.MailTriedAgain, delivery.MailSentAgain:
		kind, to := delivery.ParseMailNote(e.Note)
		v.Note = mailName(kind)
		if to != "" {
			v.Note += " to " + to
		}
	case store.WarningsConfirmed:
		v.Note = words.withoutIDs(e.Note)
	case store.LateReviewerTold:
		v.Note = words.colleagues.name(e.Note)
	case store.PermissionNoted:
		v.Note = words.colleagues.named(e.Note)
	case store.PackageTailored:
		v.Note = packageName(e.Note)
	case store.RemindersMuted:
		v.Note = pauseText(e.Note)
	case store.ReminderQueued:
		v.Note = reminderName(e.Note)
	}
}

// subjectsOf lists the requests and licenses that an event names.
func subjectsOf(e store.Event) (named []store.Subject) {
	switch e.Action {
	case store.RequestIssued, store.RequestAnswered, store.LicenseSuccessorSet, store.LicenseReplaced:
		named = append(named, licenseOf(e.Note))
	case store.LicenseIssued, store.BridgeIssued:
		named = append(named, requestOf(e.Note))
	case store.RequestLinked:
		named = append(named, customerOf(e.Note))
	case store.WarningsConfirmed:
		named = append(named, licensesIn(e.Note)...)
	}
	for _, c := range e.Changes {
		if parts := fields[c.Field].parts; parts != nil {
			for _, p := range append(parts(c.Before), parts(c.After)...) {
				named = append(named, p.of)
			}
		}
		if subject := fields[c.Field].subject; subject != nil {
			for _, id := range append(texts(decode(c.Before)), texts(decode(c.After))...) {
				named = append(named, subject(id))
			}
		}
	}
	return named
}

// actionText returns an action as pages show it. Stored timelines keep the texts that the store gave them.
func actionText(a store.Action) string {
	if text, ok := map[store.Action]string{
		store.CustomerAsked:       "asked the customer",
		store.RemindersMuted:      "reminders paused",
		store.ConfirmationSent:    "confirmation email sent again",
		store.RequestConfirmed:    "confirmed by the requester",
		store.RequestDenied:       "denied by the owner of the address",
		store.RequestUnlinked:     "no longer linked to a customer",
		store.LicenseSuccessorSet: "renewed by", store.LicenseSuccessorRevoked: "renewal revoked",
		store.LicenseReplaced: "replaced by",
		delivery.MailBounced:  "email bounced", delivery.MailComplained: "email marked as spam",
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

// digestID is the ID of the email in which a reminder is sent: its day, and a name of its recipient.
var digestID = lazyregexp.New(`--(\d{4}-\d\d-\d\d)-\w+-\d+$`)

// reminderName returns in which email a license is, by the email's ID; "" if it is that of no reminder.
func reminderName(id string) string {
	m := digestID().FindStringSubmatch(id)
	if m == nil {
		return ""
	}
	day, err := license.ParseDate(m[1])
	if err != nil {
		return ""
	}
	return "In the email of " + day.Long()
}

// pauseNote is the note about paused reminders: how long, and why.
var pauseNote = lazyregexp.New(`(?s)^until (\d{4}-\d\d-\d\d): (.*)$`)

// pauseText says how long and why reminders are paused.
func pauseText(note string) string {
	m := pauseNote().FindStringSubmatch(note)
	if m == nil {
		return note
	}
	day, err := license.ParseDate(m[1])
	if err != nil {
		return note
	}
	return m[2] + " (through " + day.Long() + ")"
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
