package site

import (
	"net/http"

	"marketplace/shared/customer"
	"marketplace/shared/web"
)

// overviewView is the data of overview.html.
type overviewView struct {
	Customer  customer.Customer
	Instances []customer.Instance
}

// overview shows everything of one's customer.
func (s *site) overview(w http.ResponseWriter, r *http.Request) error {
	of := seen(r)
	v := overviewView{Customer: of.Customer, Instances: of.Instances}
	return s.render(w, r, http.StatusOK, "overview.html", web.View{Title: "My licenses", Section: inOverview, Data: v})
}
