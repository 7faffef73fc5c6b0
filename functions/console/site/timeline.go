package site

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

// eventView is a line of a timeline.
type eventView struct {
	At      time.Time
	By      string
	Action  string
	Note    string // what somebody wrote
	Link    string // the page that the event is about; "" for none
	About   string // what stands on the link
	Changes []changeView
}

type changeView struct{ Field, Before, After string }

// timelineView shows events, the latest first.
func timelineView(events []store.Event) (list []eventView) {
	for _, e := range slices.Backward(events) {
		v := eventView{At: e.At, By: e.By, Action: string(e.Action), Note: e.Note}
		switch e.Action {
		case store.RequestIssued, store.LicenseFollowed, store.LicenseReplaced:
			v.Note, v.About, v.Link = "", "license "+e.Note, "/console/licenses/"+e.Note
		case store.LicenseIssued:
			v.Note, v.About, v.Link = "", "request "+e.Note, "/console/requests/"+e.Note
		}
		if e.Note == "" {
			v.Link = ""
		}
		for _, c := range e.Changes {
			if e.Note != "" && plain(c.After) == e.Note {
				continue // it stands there already
			}
			v.Changes = append(v.Changes, changeView{fieldName(c.Field), inWords(c.Field, c.Before), inWords(c.Field, c.After)})
		}
		list = append(list, v)
	}
	return list
}

// fieldName is a field of a request or a license as people call it.
func fieldName(name string) string {
	if known, ok := map[string]string{
		"state": "State", "reviewer": "Worked on by", "question": "Question", "reason": "Reason", "licenses": "Licenses", "closed": "Closed",
		"successor": "Followed by", "muted": "Reminders muted", "revoked": "Revoked", "revokedReason": "Reason", "replacedBy": "Replaced by",
		"packages": "Packages",
	}[name]; ok {
		return known
	}
	return name
}

// inWords is the JSON value of a field as pages show it.
func inWords(field, value string) string {
	words := plain(value)
	if field == "state" && words != "" {
		return stateBadge(request.State(words)).Text
	}
	return words
}

// plain is a JSON value as people write it.
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

// lastOf is the ID of the last event; "" where there is none.
func lastOf(events []store.Event) string {
	if len(events) == 0 {
		return ""
	}
	return events[len(events)-1].ID
}

// since are the events after the one that somebody saw last.
func since(events []store.Event, seen string) []store.Event {
	i := slices.IndexFunc(events, func(e store.Event) bool { return e.ID > seen })
	if i < 0 {
		return nil
	}
	return events[i:]
}

// repeats reports whether what somebody wants to do is the last thing that they did: a form that was sent twice.
func repeats(events []store.Event, who string, action store.Action, note string) bool {
	if len(events) == 0 {
		return false
	}
	last := events[len(events)-1]
	return last.By == who && last.Action == action && last.Note == note
}
