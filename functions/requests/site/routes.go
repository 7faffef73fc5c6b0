package site

import (
	"marketplace/shared/mail/letter"
	"marketplace/shared/web"
)

// routes lists all addresses of the site. shared/web adds the static files.
func (s *site) routes() []web.Route {
	return []web.Route{
		{Pattern: "GET /{$}", Handle: s.home},
		{Pattern: "GET /editions", Handle: s.editions},
		{Pattern: "GET /editions/{key}", Handle: s.edition},
		{Pattern: "GET /editions/{key}/install", Handle: s.install},
		{Pattern: "GET " + marketplacePath, Handle: s.marketplace},
		{Pattern: "POST " + marketplacePath, Handle: s.pasteKey},
		{Pattern: "GET /terms", Handle: s.terms},
		{Pattern: "GET /privacy", Handle: s.privacy},
		{Pattern: "GET " + serverIDPath, Handle: s.serverID},

		{Pattern: "GET /request", Handle: s.chooseEdition},
		{Pattern: "GET /request/{edition}", Handle: s.requestForm},
		{Pattern: "POST /request/{edition}", Handle: s.submitForm},
		{Pattern: "GET /requests/{id}", Handle: s.status},
		{Pattern: "POST /requests/{id}", Handle: s.confirm},
		{Pattern: "POST /requests/{id}/confirmation", Handle: s.sendConfirmation},
		{Pattern: "POST /requests/{id}/email", Handle: s.correctEmail},
		{Pattern: "POST /requests/{id}/answer", Handle: s.answerQuestion},
		{Pattern: "GET /requests/{id}/correct", Handle: s.correctForm},
		{Pattern: "POST /requests/{id}/correct", Handle: s.correct},
		{Pattern: "POST /requests/{id}/cancel", Handle: s.cancelRequest},

		{Pattern: "GET /renew/{license}", Handle: s.renew},
		{Pattern: "POST /renew/{license}", Handle: s.submitRenewal},
		{Pattern: "GET /answer/{request}", Handle: s.answerForm},
		{Pattern: "POST /answer/{request}", Handle: s.answer},
		{Pattern: "GET " + letter.StopPath, Handle: s.stopForm},
		{Pattern: "POST " + letter.StopPath, Handle: s.stop, AnyOrigin: true}, // mail programs send it (RFC 8058)
		{Pattern: "GET /contacts/undo", Handle: s.undoForm},
		{Pattern: "POST /contacts/undo", Handle: s.undo},

		{Pattern: "GET /api/editions/search", Handle: s.apiSearch},
		{Pattern: "POST /api/license-requests", Handle: s.apiCreateRequest},
		{Pattern: "GET /api/license-requests/{id}", Handle: s.apiGetRequest},

		{Pattern: "GET /licenses/check", Handle: s.checkPage},
		{Pattern: "POST /licenses/check", Handle: s.submitCheck},
		{Pattern: "POST /api/licenses/check", Handle: s.apiCheck},
		{Pattern: "GET /.well-known/license-keys.json", Handle: s.licenseKeys},

		{Pattern: "GET /healthz", Handle: health},
		{Pattern: "GET /robots.txt", Handle: robots},
	}
}
