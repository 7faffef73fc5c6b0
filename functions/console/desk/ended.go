package desk

import (
	"net/http"
	"slices"

	"marketplace/shared/fault"
	"marketplace/shared/store"
	"marketplace/shared/web"
)

// unlessEnded lets a handler go on from the request or license in the address, a request where the section is the queue.
// Where that is closed or revoked, so that the handler answers with a Conflict fault, its page comes up and says who did it.
func (d *desk) unlessEnded(section string, handle web.HandlerFunc) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		err := handle(w, r)
		switch {
		case fault.KindOf(err) != fault.Conflict, r.PathValue("id") == "":
			return err
		case section == inQueue:
			return d.requestEnded(w, r, err)
		}
		return d.licenseEnded(w, r, err)
	}
}

func (d *desk) requestEnded(w http.ResponseWriter, r *http.Request, conflict error) error {
	v, err := d.requestView(r)
	if err != nil {
		return err
	}
	v.Trouble = ended(conflict, v.events)
	return d.showRequest(w, r, http.StatusConflict, v)
}

func (d *desk) licenseEnded(w http.ResponseWriter, r *http.Request, conflict error) error {
	v, err := d.licenseView(r)
	if err != nil {
		return err
	}
	v.Trouble = ended(conflict, v.events)
	return d.showLicense(w, r, http.StatusConflict, v)
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
