package site

import "marketplace/shared/web"

// routes lists all addresses of the account but those of signing in. Each is for people who are signed in (New).
func (s *site) routes() []web.Route {
	list := []web.Route{
		{Pattern: "GET /account", Handle: s.overview},

		{Pattern: "GET /account/requests", Handle: s.requestList},
		{Pattern: "GET /account/requests/{request}", Handle: s.request},
		{Pattern: "POST /account/requests/{request}/answer", Handle: s.answerQuestion},
		{Pattern: "POST /account/requests/{request}/correct", Handle: s.correctRequest},
		{Pattern: "POST /account/requests/{request}/cancel", Handle: s.cancelRequest},
		{Pattern: "GET /account/contacts", Handle: s.contactList},
		{Pattern: "POST /account/contacts", Handle: s.addContact},
		{Pattern: "GET /account/contacts/{contact}/remove", Handle: s.removeForm},
		{Pattern: "POST /account/contacts/{contact}/remove", Handle: s.removeContact},
		{Pattern: "GET /account/personal-data", Handle: s.personalData},
		{Pattern: "GET /account/personal-data/download", Handle: s.downloadPersonalData},
		{Pattern: "POST /account/personal-data/erasure", Handle: s.askErasure},
		{Pattern: "GET /account/instances/{instance}/reminders", Handle: s.remindersForm},
		{Pattern: "POST /account/instances/{instance}/reminders", Handle: s.changeReminders},
		{Pattern: "GET /account/instances/{instance}/loc", Handle: s.loc},
		{Pattern: "POST /account/instances/{instance}/loc", Handle: s.tellLoc},

		{Pattern: "GET /account/instances/{instance}/bridge", Handle: s.bridge},
		{Pattern: "POST /account/instances/{instance}/bridge", Handle: s.requestBridge},
		{Pattern: "GET /account/instances/{instance}/key", Handle: s.keyForm},
		{Pattern: "POST /account/instances/{instance}/key", Handle: s.sendKey},
	}
	for _, a := range asks {
		list = append(list,
			web.Route{Pattern: "GET /account/instances/{instance}/" + a.path, Handle: s.askForm(a)},
			web.Route{Pattern: "POST /account/instances/{instance}/" + a.path, Handle: s.submitAsk(a)})
	}
	return list
}
