package desk

import (
	"marketplace/functions/console/signin"
	"marketplace/shared/web"
)

// route is an address of the console with the least role that it needs.
type route struct {
	pattern string
	least   signin.Role
	handle  web.HandlerFunc
	stream  bool
}

// routes are all addresses of the console, but for those of signing in. A viewer reads, sales operations act. Exports need
// sales as well: they carry the data of all customers out of the console.
func (d *desk) routes() []route {
	return []route{
		{pattern: "GET /console", least: signin.Viewer, handle: d.queue},
		{pattern: "GET /console/search", least: signin.Viewer, handle: d.search},
		{pattern: "GET /console/overview", least: signin.Viewer, handle: d.overview},

		{pattern: "GET /console/requests/{id}", least: signin.Viewer, handle: d.request},
		{pattern: "POST /console/requests/{id}/take", least: signin.Sales, handle: d.review(take)},
		{pattern: "POST /console/requests/{id}/take-over", least: signin.Sales, handle: d.review(takeOver)},
		{pattern: "POST /console/requests/{id}/ask", least: signin.Sales, handle: d.review(ask)},
		{pattern: "POST /console/requests/{id}/resume", least: signin.Sales, handle: d.review(resume)},
		{pattern: "POST /console/requests/{id}/reject", least: signin.Sales, handle: d.review(reject)},
		{pattern: "POST /console/requests/{id}/withdraw", least: signin.Sales, handle: d.review(withdraw)},
		{pattern: "POST /console/requests/{id}/note", least: signin.Sales, handle: d.note},
		{pattern: "POST /console/requests/{id}/lift", least: signin.Sales, handle: d.liftRequest},

		{pattern: "GET /console/licenses", least: signin.Viewer, handle: d.licenses},
		{pattern: "GET /console/licenses/{id}", least: signin.Viewer, handle: d.license},
		{pattern: "GET /console/licenses/{id}/key", least: signin.Viewer, handle: d.key},
		{pattern: "POST /console/licenses/{id}/send-key", least: signin.Sales, handle: d.sendKey},
		{pattern: "POST /console/licenses/{id}/mute", least: signin.Sales, handle: d.mute(true)},
		{pattern: "POST /console/licenses/{id}/unmute", least: signin.Sales, handle: d.mute(false)},
		{pattern: "POST /console/licenses/{id}/lift", least: signin.Sales, handle: d.liftLicense},
		{pattern: "GET /console/licenses/{id}/revoke", least: signin.Sales, handle: d.revokeForm},
		{pattern: "POST /console/licenses/{id}/revoke", least: signin.Sales, handle: d.revoke},

		{pattern: "GET /console/requests/{id}/issue", least: signin.Sales, handle: d.begin(issueFor)},
		{pattern: "POST /console/requests/{id}/issue", least: signin.Sales, handle: d.goOn(issueFor)},
		{pattern: "GET /console/licenses/new", least: signin.Sales, handle: d.begin(issueNew)},
		{pattern: "POST /console/licenses/new", least: signin.Sales, handle: d.goOn(issueNew)},
		{pattern: "GET /console/licenses/{id}/renew", least: signin.Sales, handle: d.begin(renew)},
		{pattern: "POST /console/licenses/{id}/renew", least: signin.Sales, handle: d.goOn(renew)},
		{pattern: "GET /console/licenses/{id}/replace", least: signin.Sales, handle: d.begin(replace)},
		{pattern: "POST /console/licenses/{id}/replace", least: signin.Sales, handle: d.goOn(replace)},
		{pattern: "GET /console/licenses/{id}/packages", least: signin.Sales, handle: d.unlessEnded(inLicenses, d.packageForm)},
		{pattern: "POST /console/licenses/{id}/packages", least: signin.Sales, handle: d.unlessEnded(inLicenses, d.tailor)},

		{pattern: "GET /console/export", least: signin.Sales, handle: d.exportForm},
		{pattern: "GET /console/export/requests.csv", least: signin.Sales, handle: d.exportRequests, stream: d.streams()},
		{pattern: "GET /console/export/licenses.csv", least: signin.Sales, handle: d.exportLicenses, stream: d.streams()},
	}
}
