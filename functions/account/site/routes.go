package site

import "marketplace/shared/web"

// routes lists all addresses of the account but those of signing in. Each is for people who are signed in (New).
func (s *site) routes() []web.Route {
	return []web.Route{
		{Pattern: "GET /account", Handle: s.overview},
	}
}
