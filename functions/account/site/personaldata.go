package site

import (
	"context"
	"net/http"
	"strings"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/license"
	"marketplace/shared/store/erasure"
	"marketplace/shared/web"
)

// The personal data of who is signed in: downloaded, and their erasure asked for. It is the person's own, whatever
// customer they are signed in at.

// PersonalData reads what is on record about a person, and keeps who asked to be erased. erasure.Wishes implements it.
type PersonalData interface {
	// ReadOwn reads everything on record about the person behind an address.
	ReadOwn(ctx context.Context, email string) (*erasure.Own, error)
	// AskErasure notes that a contact of a customer asks to be erased, and tells sales. Again, it does nothing.
	AskErasure(ctx context.Context, customerID string, who license.Contact) error
	// ErasureWish reads the wish of the person behind an address; ok is false if there is none.
	ErasureWish(ctx context.Context, email string) (a erasure.Asked, ok bool, err error)
}

const personalDataPath = "/account/personal-data"

// personalDataView is the data of personaldata.html.
type personalDataView struct {
	Email string
	Asked *erasure.Asked // nil: the person did not ask to be erased
	Last  bool           // nobody else speaks for the company
	Sure  web.Field
	web.Marked
}

// personalData says what the person can do about their data.
func (s *site) personalData(w http.ResponseWriter, r *http.Request) error {
	return s.renderPersonalData(w, r, nil)
}

func (s *site) renderPersonalData(w http.ResponseWriter, r *http.Request, bad []fault.Field) error {
	v := personalDataView{Email: person(r), Last: len(seen(r).Contacts()) == 1}
	a, ok, err := s.personal.ErasureWish(r.Context(), person(r))
	if err != nil {
		return err
	}
	if ok {
		v.Asked = &a
	}
	v.Sure = web.Field{Name: "erase", Label: "Do you want us to erase it?", Type: "boxes", Class: "rows",
		Options: []web.Option{{Value: "yes", Label: "Yes, erase my personal data"}}}
	v.Marked = web.Mark(bad, &v.Sure)
	title, status := "Your personal data", http.StatusOK
	if len(bad) > 0 {
		title, status = "Error: "+title, http.StatusUnprocessableEntity
	}
	return s.render(w, r, status, "personaldata.html", web.View{Title: title, Section: inPersonal, Data: v})
}

// gatherTime ends the reading of somebody's data before the function is ended, in 15 seconds: of a customer with 2,000
// installations that is 8,000 queries and more.
const gatherTime = 11 * time.Second

// gather reads what is on record about a person, unless that takes too long.
func gather(ctx context.Context, from PersonalData, email string) (*erasure.Own, error) {
	ctx, cancel := context.WithTimeout(ctx, gatherTime)
	defer cancel()
	own, err := from.ReadOwn(ctx, email)
	if err != nil && ctx.Err() != nil {
		return nil, &fault.Error{Kind: fault.Unavailable, Err: err, Msg: "There is more on record than we can gather " +
			"while you wait. Write to us, and we send you your data."}
	}
	return own, err
}

// downloadPersonalData hands out what is on record about the person, as JSON.
func (s *site) downloadPersonalData(w http.ResponseWriter, r *http.Request) error {
	own, err := gather(r.Context(), s.personal, person(r))
	if err != nil {
		return err
	}
	data, err := own.JSON()
	if err != nil {
		return err
	}
	name := "personal-data-" + s.today().String() + ".json"
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="`+strings.ReplaceAll(name, `"`, "")+`"`)
	w.Header().Set("Cache-Control", "no-store")
	_, err = w.Write(data)
	return err
}

// askErasure notes that the person asks to be erased.
func (s *site) askErasure(w http.ResponseWriter, r *http.Request) error {
	values, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	if values.Get("erase") != "yes" {
		return s.renderPersonalData(w, r, []fault.Field{{Name: "erase", Msg: "Tick the box to have your data erased."}})
	}
	who := license.Contact{Name: seen(r).Contact.Name, Email: person(r)}
	if err := s.personal.AskErasure(r.Context(), seen(r).Customer.ID, who); err != nil {
		return err
	}
	s.log.InfoContext(r.Context(), "erasure asked for in the account", "customer", seen(r).Customer.ID)
	http.Redirect(w, r, personalDataPath, http.StatusSeeOther)
	return nil
}
