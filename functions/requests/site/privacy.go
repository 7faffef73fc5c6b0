package site

import (
	"net/http"

	"marketplace/shared/request"
	"marketplace/shared/retention"
	"marketplace/shared/web"
)

type privacyView struct {
	Categories []keptData
	Requests   string // how long requests that ended without a license are kept
	Sales      string
}

// keptData is a category of personal data under the policy.
type keptData struct {
	retention.Category
	HowLong string
}

// privacy says what is kept of whom, why and how long, from what the store goes by.
func (s *site) privacy(w http.ResponseWriter, r *http.Request) error {
	policy := s.store.Retention()
	v := privacyView{Requests: policy.Requests().String(), Sales: s.mail.Sales.Email}
	for _, c := range retention.Categories {
		v.Categories = append(v.Categories, keptData{c, c.Kept(policy)})
	}
	return s.renderPublic(w, "privacy.html", web.View{
		Title:       "Privacy",
		Description: "What personal data we keep, why, and for how long.",
		Query:       linkQuery(r.URL.Query()),
		Data:        v,
	})
}

// lastDay returns the day after which a request is deleted, as people read it; "" if it is kept.
func lastDay(r request.Request) string {
	if r.Expires.IsZero() {
		return ""
	}
	return r.Expires.UTC().AddDate(0, 0, -1).Format("02 Jan 2006")
}
