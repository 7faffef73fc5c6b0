package site

import (
	"encoding/json"
	"strings"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

// fieldView is how timelines show a field of a request or a license.
type fieldView struct {
	label   string
	absent  string                                  // what no value means; "" shows none
	name    func(v vocabulary, value string) string // of a value that is a key; nil: the value itself
	subject func(id string) store.Subject           // of a value that is an ID; nil: it is none
	parts   func(value string) []part               // of a value that has several; nil: it has none
}

func licenseOf(id string) store.Subject  { return store.Subject{License: id} }
func requestOf(id string) store.Subject  { return store.Subject{Request: id} }
func customerOf(id string) store.Subject { return store.Subject{Customer: id} }

// part is a part of a value: what it is of, or else its text.
type part struct {
	of   store.Subject
	text string
}

// vouchParts says what a vouch covers. Who vouched, when and why is on the timeline already.
func vouchParts(value string) (list []part) {
	var v *request.Vouch
	if json.Unmarshal([]byte(value), &v) != nil || v == nil {
		return nil
	}
	for _, id := range v.Licenses {
		list = append(list, part{of: licenseOf(id)})
	}
	return append(list, part{text: "for the server " + string(v.Server)}, part{text: "key to " + v.Email})
}

// muteParts says why reminders are paused, and how long.
func muteParts(value string) []part {
	var m license.Mute
	switch err := json.Unmarshal([]byte(value), &m); {
	case err != nil || m == license.Mute{}:
		return []part{{text: "no"}}
	case m.Until.IsZero():
		return []part{{text: m.Reason}}
	}
	return []part{{text: m.Reason + ", through " + m.Until.Long()}}
}

// fields are those that timelines show, by their names in records.
var fields = map[string]fieldView{
	"state": {label: "Status", name: func(_ vocabulary, s string) string {
		return stateBadge(request.State(s)).Text
	}},
	"reviewer":    {label: "Reviewer", name: func(v vocabulary, s string) string { return v.colleagues.name(s) }},
	"reference":   {label: "Reference"},
	"zone":        {label: "Browser's time zone"},
	"unconfirmed": {label: "Unconfirmed", absent: "no"},
	"suspicious":  {label: "Suspicious form", absent: "no"},
	"bound":       {label: "Through a renewal link", absent: "no"},
	"confirmed":   {label: "Confirmed"},
	"customer":    {label: "Customer", subject: customerOf},
	"askedOf":     {label: "Asked"},
	"filedBy":     {label: "Filed by", name: func(v vocabulary, s string) string { return v.colleagues.name(s) }},
	"vouch":       {label: "Vouch", parts: vouchParts},
	"question":    {label: "Question"},
	"reason":      {label: "Reason"},
	"licenses":    {label: "Licenses", subject: licenseOf},
	"closed":      {label: "Closed"},
	"created":     {label: "Received"},
	"due":         {label: "Due"},
	"kind":        {label: "Kind", name: func(_ vocabulary, s string) string { return request.Kind(s).Name() }},

	"serverId":       {label: "Server ID"},
	"server":         {label: "Server ID"},
	"ncloc":          {label: "Lines of code"},
	"wantedLoc":      {label: "Lines of code to license"},
	"productVersion": {label: "Product version"},
	"name":           {label: "Name"},
	"email":          {label: "Email"},
	"company":        {label: "Company"},
	"country":        {label: "Country"},
	"phone":          {label: "Phone"},
	"message":        {label: "Message"},
	"contacts":       {label: "Contacts"},
	"planned":        {label: "Planned for"},
	"before":         {label: "Server ID before"},
	"change": {label: "What changes the ID", name: func(_ vocabulary, s string) string {
		return request.Change(s).Name()
	}},
	"replaces":    {label: "Related license or server"},
	"environment": {label: "Server used for"},
	"oldServer": {label: "Old server", name: func(_ vocabulary, s string) string {
		return request.OldServer(s).Name()
	}},

	"type":         {label: "Type", name: func(_ vocabulary, s string) string { return license.Type(s).Name() }},
	"organization": {label: "Organization"},
	"edition":      {label: "Edition", name: func(_ vocabulary, s string) string { return license.Edition(s).Name() }},
	"maxLoc":       {label: "Lines of code"},
	"support":      {label: "Support", absent: "no"},
	"expiration":   {label: "Valid through"},
	"notBefore":    {label: "Valid from"},
	"recorded":     {label: "Added to console"},
	"issued":       {label: "Issued on"},
	"plugins":      {label: "Plugins", name: vocabulary.plugin},
	"languages":    {label: "Languages", name: vocabulary.language},
	"features":     {label: "Features", name: vocabulary.feature},
	"request":      {label: "Request", subject: requestOf},
	"packages":     {label: "Custom packages", name: func(_ vocabulary, s string) string { return packageName(s) }},
	"bridges":      {label: "Bridge key for", subject: licenseOf},
	"ahead":        {label: "Ahead of", subject: requestOf},
	"successor":    {label: "Renewed by", subject: licenseOf},
	"mute":         {label: "Reminders paused", absent: "no", parts: muteParts},
	"revoked":      {label: "Revoked"},

	"revokedReason": {label: "Reason"},
	"replacedBy":    {label: "Replaced by", subject: licenseOf},
}

// inWords returns the JSON value of a field as pages show it.
func (f fieldView) inWords(value string, words vocabulary) (list []mention) {
	if value == "" && f.absent != "" {
		return []mention{{Text: f.absent}}
	}
	if f.parts != nil {
		for _, p := range f.parts(value) {
			if p.of != (store.Subject{}) {
				list = append(list, words.of(p.of))
			} else {
				list = append(list, mention{Text: p.text})
			}
		}
		return list
	}
	for _, text := range texts(decode(value)) {
		switch {
		case text == "":
			continue
		case f.subject != nil:
			list = append(list, words.of(f.subject(text)))
			continue
		case f.name != nil:
			text = f.name(words, text)
		}
		list = append(list, mention{Text: text})
	}
	return list
}

func decode(value string) (v any) {
	if json.Unmarshal([]byte(value), &v) != nil {
		return nil
	}
	return v
}

// texts returns a decoded JSON value as people write it: one text for each value of a list, else a single one. A
// contact is "Jane Doe jane@customer.example".
func texts(v any) (all []string) {
	switch v := v.(type) {
	case string:
		return []string{textOf(v)}
	case bool:
		if v {
			return []string{"yes"}
		}
		return []string{"no"}
	case float64:
		return []string{web.Number(int64(v))}
	case []any:
		for _, part := range v {
			all = append(all, strings.Join(texts(part), ", "))
		}
	case map[string]any:
		for _, name := range []string{"name", "email"} {
			if text, ok := v[name].(string); ok {
				all = append(all, text)
			}
		}
		return []string{strings.Join(all, " ")}
	}
	return all
}

// textOf writes times and days as pages do.
func textOf(s string) string {
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return web.Instant(at)
	}
	if day, err := license.ParseDate(s); err == nil {
		return day.Long()
	}
	return s
}
