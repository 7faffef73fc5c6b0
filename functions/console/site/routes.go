package site

import (
	"marketplace/functions/console/signin"
	"marketplace/shared/web"
)

// route is an address of the console with the lowest role that may use it.
type route struct {
	pattern string
	least   signin.Role
	handle  web.HandlerFunc
	stream  bool
	names   bool // its page names colleagues
}

// routes lists all addresses of the console but those of signing in. Viewers read, sales operations act. Exports need
// the sales role too, because they carry the data of all customers out of the console, and so do license keys. Admins
// also merge customers, read the audit and see what our emails look like.
func (s *site) routes() []route {
	packages := func(h web.HandlerFunc) web.HandlerFunc { return s.unlessClosed(inLicenses, h) }
	streams := s.streams()
	return []route{
		{pattern: "GET /console", least: signin.Viewer, handle: s.queue, names: true},
		{pattern: "GET /console/search", least: signin.Viewer, handle: s.search, names: true},
		{pattern: "GET /console/overview", least: signin.Viewer, handle: s.overview, names: true},
		{pattern: "POST /console/overview/try-again", least: signin.Sales, handle: s.tryFailedAgain},

		{pattern: "GET /console/requests/{id}", least: signin.Viewer, handle: s.request, names: true},
		{pattern: "POST /console/requests/{id}/take", least: signin.Sales, handle: s.review(startReview)},
		{pattern: "POST /console/requests/{id}/take-over", least: signin.Sales, handle: s.review(takeOver)},
		{pattern: "POST /console/requests/{id}/ask", least: signin.Sales, handle: s.reply(askCustomer), names: true},
		{pattern: "POST /console/requests/{id}/resume", least: signin.Sales, handle: s.review(resumeReview)},
		{pattern: "POST /console/requests/{id}/reject", least: signin.Sales, handle: s.reply(reject), names: true},
		{pattern: "POST /console/requests/{id}/withdraw", least: signin.Sales, handle: s.reply(withdraw), names: true},
		{pattern: "POST /console/requests/{id}/undo", least: signin.Sales, handle: s.undo},
		{pattern: "POST /console/requests/{id}/resend", least: signin.Sales, handle: s.resendAndClose},
		{pattern: "POST /console/requests/{id}/note", least: signin.Sales, handle: s.noteHandler},
		{pattern: "POST /console/requests/{id}/link", least: signin.Sales, handle: s.linkRequest},
		{pattern: "POST /console/requests/{id}/unlink", least: signin.Sales, handle: s.unlinkRequest},
		{pattern: "POST /console/requests/{id}/ask-contacts", least: signin.Sales, handle: s.askContacts},
		{pattern: "POST /console/requests/{id}/vouch", least: signin.Sales, handle: s.vouch},
		{pattern: "POST /console/requests/{id}/withdraw-vouch", least: signin.Sales, handle: s.withdrawVouch},
		{pattern: "POST /console/requests/{id}/bridge", least: signin.Sales, handle: s.issueBridge},
		{pattern: "POST /console/requests/{id}/lift", least: signin.Sales, handle: s.resumeEmailsOfRequest},

		{pattern: "GET /console/requests/{id}/mails/{mail}/{attempt}", least: signin.Sales,
			handle: s.showSentLetter(inQueue, "/console/requests/")},
		{pattern: "GET /console/requests/{id}/mails/{mail}/{attempt}/html", least: signin.Sales,
			handle: s.sentLetterHTML},
		{pattern: "POST /console/requests/{id}/mails/{mail}/try-again", least: signin.Sales,
			handle: s.onRequestMail(s.tryMailAgain())},
		{pattern: "POST /console/requests/{id}/mails/{mail}/send-again", least: signin.Sales,
			handle: s.onRequestMail(s.sendMailAgain())},

		{pattern: "GET /console/customers", least: signin.Viewer, handle: s.customers},
		{pattern: "GET /console/customers/{ref}", least: signin.Viewer, handle: s.customer, names: true},
		{pattern: "GET /console/customers/{ref}/timeline", least: signin.Viewer, handle: s.customerTimeline,
			names: true},
		{pattern: "GET /console/customers/{ref}/edit", least: signin.Sales, handle: s.editCustomer, names: true},
		{pattern: "POST /console/customers/{ref}/edit", least: signin.Sales, handle: s.saveCustomer},
		{pattern: "POST /console/customers/{ref}/note", least: signin.Sales, handle: s.noteCustomer},
		{pattern: "GET /console/customers/{ref}/merge", least: signin.Admin, handle: s.mergeForm},
		{pattern: "POST /console/customers/{ref}/merge", least: signin.Admin, handle: s.mergeCustomers},
		{pattern: "POST /console/customers/{ref}/unmerge", least: signin.Admin, handle: s.undoMerge},

		{pattern: "GET /console/customers/{ref}/contacts/new", least: signin.Sales, handle: s.newContact},
		{pattern: "POST /console/customers/{ref}/contacts/new", least: signin.Sales, handle: s.saveContact},
		{pattern: "GET /console/customers/{ref}/contacts/{contact}", least: signin.Sales, handle: s.editContact},
		{pattern: "POST /console/customers/{ref}/contacts/{contact}", least: signin.Sales, handle: s.saveContact},
		{pattern: "POST /console/customers/{ref}/contacts/{contact}/remove", least: signin.Sales,
			handle: s.removeContact},
		{pattern: "POST /console/customers/{ref}/contacts/{contact}/vouch", least: signin.Sales,
			handle: s.vouchForContact},
		{pattern: "POST /console/customers/{ref}/contacts/{contact}/up", least: signin.Sales,
			handle: s.orderContact(-1)},
		{pattern: "POST /console/customers/{ref}/contacts/{contact}/down", least: signin.Sales,
			handle: s.orderContact(1)},
		{pattern: "POST /console/customers/{ref}/contacts/{contact}/send-key", least: signin.Sales,
			handle: s.sendKeyToContact},

		{pattern: "GET /console/customers/{ref}/contracts/{contract}/end", least: signin.Sales,
			handle: s.endContractForm},
		{pattern: "POST /console/customers/{ref}/contracts/{contract}/end", least: signin.Sales, handle: s.endContract},
		{pattern: "POST /console/customers/{ref}/contracts/{contract}/reopen", least: signin.Sales,
			handle: s.reopenContract},

		{pattern: "GET /console/customers/{ref}/instances/{instance}", least: signin.Viewer, handle: s.instance,
			names: true},
		{pattern: "GET /console/customers/{ref}/instances/{instance}/edit", least: signin.Sales,
			handle: s.editInstance},
		{pattern: "POST /console/customers/{ref}/instances/{instance}/edit", least: signin.Sales,
			handle: s.saveInstance},
		{pattern: "POST /console/customers/{ref}/instances/{instance}/retire", least: signin.Sales,
			handle: s.retireInstance(true)},
		{pattern: "POST /console/customers/{ref}/instances/{instance}/resume", least: signin.Sales,
			handle: s.retireInstance(false)},
		{pattern: "GET /console/customers/{ref}/instances/{instance}/move", least: signin.Sales, handle: s.moveForm},
		{pattern: "POST /console/customers/{ref}/instances/{instance}/move", least: signin.Sales,
			handle: s.moveInstances},
		{pattern: "GET /console/customers/{ref}/instances/{instance}/move-back", least: signin.Sales,
			handle: s.moveBackForm},
		{pattern: "POST /console/customers/{ref}/instances/{instance}/move-back", least: signin.Sales,
			handle: s.moveBack},

		{pattern: "GET /console/reminders", least: signin.Viewer, handle: s.reminders},
		{pattern: "GET /console/reminders.csv", least: signin.Sales, handle: s.exportReminders, stream: streams},

		{pattern: "GET /console/licenses", least: signin.Viewer, handle: s.licenses},
		{pattern: "GET /console/licenses/{id}", least: signin.Viewer, handle: s.license, names: true},
		{pattern: "GET /console/licenses/{id}/key", least: signin.Sales, handle: s.downloadKey},
		{pattern: "GET /console/licenses/{id}/key/text", least: signin.Sales, handle: s.showKey},
		{pattern: "POST /console/licenses/{id}/send-key", least: signin.Sales, handle: s.sendKey},
		{pattern: "POST /console/licenses/{id}/mute", least: signin.Sales, handle: s.mute},
		{pattern: "POST /console/licenses/{id}/unmute", least: signin.Sales, handle: s.unmute},
		{pattern: "POST /console/licenses/{id}/resubscribe", least: signin.Sales, handle: s.resubscribe},
		{pattern: "POST /console/licenses/{id}/lift", least: signin.Sales, handle: s.resumeEmailsOfLicense},
		{pattern: "GET /console/licenses/{id}/revoke", least: signin.Sales, handle: s.revokeForm, names: true},
		{pattern: "POST /console/licenses/{id}/revoke", least: signin.Sales, handle: s.revoke},

		{pattern: "GET /console/licenses/{id}/mails/{mail}/{attempt}", least: signin.Sales,
			handle: s.showSentLetter(inLicenses, "/console/licenses/")},
		{pattern: "GET /console/licenses/{id}/mails/{mail}/{attempt}/html", least: signin.Sales,
			handle: s.sentLetterHTML},
		{pattern: "POST /console/licenses/{id}/mails/{mail}/try-again", least: signin.Sales,
			handle: s.onLicenseMail(s.tryMailAgain())},
		{pattern: "POST /console/licenses/{id}/mails/{mail}/send-again", least: signin.Sales,
			handle: s.onLicenseMail(s.sendMailAgain())},

		{pattern: "GET /console/requests/{id}/issue", least: signin.Sales, handle: s.beginWizard(issueForRequest)},
		{pattern: "POST /console/requests/{id}/issue", least: signin.Sales, handle: s.continueWizard(issueForRequest),
			names: true},
		{pattern: "GET /console/licenses/new", least: signin.Sales, handle: s.beginWizard(issueWithoutRequest)},
		{pattern: "POST /console/licenses/new", least: signin.Sales, handle: s.continueWizard(issueWithoutRequest),
			names: true},
		{pattern: "GET /console/licenses/{id}/renew", least: signin.Sales, handle: s.beginWizard(renewLicense)},
		{pattern: "POST /console/licenses/{id}/renew", least: signin.Sales, handle: s.continueWizard(renewLicense),
			names: true},
		{pattern: "GET /console/licenses/{id}/replace", least: signin.Sales, handle: s.beginWizard(replaceLicense)},
		{pattern: "POST /console/licenses/{id}/replace", least: signin.Sales, handle: s.continueWizard(replaceLicense),
			names: true},
		{pattern: "GET /console/licenses/{id}/upgrade", least: signin.Sales, handle: s.beginWizard(upgradeLicense)},
		{pattern: "POST /console/licenses/{id}/upgrade", least: signin.Sales, handle: s.continueWizard(upgradeLicense),
			names: true},
		{pattern: "GET /console/customers/{ref}/issue", least: signin.Sales, handle: s.beginWizard(issueForCustomer)},
		{pattern: "POST /console/customers/{ref}/issue", least: signin.Sales,
			handle: s.continueWizard(issueForCustomer), names: true},
		{pattern: "GET /console/licenses/{id}/packages", least: signin.Sales, handle: packages(s.packageForm)},
		{pattern: "POST /console/licenses/{id}/packages", least: signin.Sales, handle: packages(s.makePackage)},

		{pattern: "GET /console/erase", least: signin.Admin, handle: s.eraseForm},
		{pattern: "POST /console/erase", least: signin.Admin, handle: s.erase},
		{pattern: "GET /console/settings", least: signin.Admin, handle: s.settings},
		{pattern: "GET /console/settings/replies", least: signin.Admin, handle: s.templates, names: true},
		{pattern: "GET /console/settings/replies/new", least: signin.Admin, handle: s.newTemplate},
		{pattern: "POST /console/settings/replies/new", least: signin.Admin, handle: s.saveTemplate, names: true},
		{pattern: "GET /console/settings/replies/{reply}", least: signin.Admin, handle: s.editTemplate, names: true},
		{pattern: "POST /console/settings/replies/{reply}", least: signin.Admin, handle: s.saveTemplate, names: true},
		{pattern: "POST /console/settings/replies/{reply}/delete", least: signin.Admin, handle: s.deleteTemplate,
			names: true},
		{pattern: "GET /console/audit", least: signin.Admin, handle: s.showAudit, names: true},
		{pattern: "GET /console/audit.csv", least: signin.Admin, handle: s.exportAudit, names: true, stream: streams},

		{pattern: "GET " + marketplacePath, least: signin.Admin, handle: s.marketplace},
		{pattern: "GET /console/retention", least: signin.Admin, handle: s.retention},
		{pattern: "GET /console/letters", least: signin.Admin, handle: s.letters},
		{pattern: "GET /console/letters/{name}", least: signin.Admin, handle: s.letter},
		{pattern: "GET /console/letters/{name}/html", least: signin.Admin, handle: s.letterHTML},

		{pattern: "GET /console/export", least: signin.Sales, handle: s.exportForm},
		{pattern: "GET /console/export/requests.csv", least: signin.Sales, handle: s.exportRequests, stream: streams},
		{pattern: "GET /console/export/licenses.csv", least: signin.Sales, handle: s.exportLicenses, stream: streams},
	}
}
