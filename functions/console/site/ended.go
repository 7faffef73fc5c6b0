package site

import (
	"net/http"
	"slices"

	"marketplace/shared/fault"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

// unlessEnded lets a handler go on from the request or license in the address, a request where the section is the queue.
// Where that is closed or revoked, so that the handler answers with a Conflict fault, its page comes up and says who did it.
func (s *site) unlessEnded(section string, handle web.HandlerFunc) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		err := handle(w, r)
		switch {
		case fault.KindOf(err) != fault.Conflict, r.PathValue("id") == "":
			return err
		case section == inQueue:
			return s.requestEnded(w, r, err)
		}
		return s.licenseEnded(w, r, err)
	}
}

func (s *site) requestEnded(w http.ResponseWriter, r *http.Request, conflict error) error {
	v, err := s.requestView(r)
	if err != nil {
		return err
	}
	v.Trouble = ended(conflict, v.events)
	return s.showRequest(w, r, http.StatusConflict, v)
}

func (s *site) licenseEnded(w http.ResponseWriter, r *http.Request, conflict error) error {
	v, err := s.licenseView(r)
	if err != nil {
		return err
	}
	v.Trouble = ended(conflict, v.events)
	return s.showLicense(w, r, http.StatusConflict, v)
}

// ended is the trouble of who comes too late, with the event that closed the request or revoked the license.
func ended(conflict error, events []store.Event) *trouble {
	t := &trouble{Title: "This is not possible any more", Text: fault.Sentence(conflict) + " Nothing of yours was written."}
	for _, e := range slices.Backward(events) {
		if slices.ContainsFunc(e.Changes, func(c store.Change) bool { return c.Field == "closed" || c.Field == "revoked" }) {
			t.Meanwhile = timelineView([]store.Event{e})
			break
		}
	}
	return t
}
