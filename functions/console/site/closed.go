package site

import (
	"net/http"
	"slices"

	"marketplace/shared/fault"
	"marketplace/shared/web"
)

// unlessClosed wraps a handler that acts on the request (in the queue section) or license in the address. If the
// handler answers with a Conflict fault, because that is closed or revoked, its page is shown and says who did it.
func (s *site) unlessClosed(section string, handle web.HandlerFunc) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		err := handle(w, r)
		switch {
		case fault.KindOf(err) != fault.Conflict, r.PathValue("id") == "":
			return err
		case section == inQueue:
			return s.showClosedRequest(w, r, err)
		}
		return s.showRevokedLicense(w, r, err)
	}
}

func (s *site) showClosedRequest(w http.ResponseWriter, r *http.Request, conflict error) error {
	v, err := s.requestView(r, "")
	if err != nil {
		return err
	}
	v.Error = closedError(r, conflict, v.Timeline)
	return s.showRequest(w, r, http.StatusConflict, v)
}

func (s *site) showRevokedLicense(w http.ResponseWriter, r *http.Request, conflict error) error {
	v, err := s.licenseView(r, "")
	if err != nil {
		return err
	}
	v.Error = closedError(r, conflict, v.Timeline)
	return s.showLicense(w, r, http.StatusConflict, v)
}

// closedError describes a conflict with the event that closed the request or revoked the license.
func closedError(r *http.Request, conflict error, timeline []eventView) *formError {
	t := &formError{Title: "This is no longer possible", Text: fault.Sentence(conflict)}
	if r.Method == http.MethodPost {
		t.Text += " Your change was not saved."
	}
	if i := slices.IndexFunc(timeline, func(e eventView) bool { return e.Closes }); i >= 0 {
		t.Meanwhile = timeline[i : i+1]
	}
	return t
}
