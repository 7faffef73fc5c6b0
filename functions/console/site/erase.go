package site

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/store/erasure"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/web"
)

// Eraser erases people; *erasure.Eraser implements it and documents the methods.
type Eraser interface {
	Preview(ctx context.Context, email string) (erasure.Report, error)
	Erase(ctx context.Context, email string, o erasure.Options) (erasure.Report, error)
	Reports(ctx context.Context) ([]erasure.Report, error)
	Wishes(ctx context.Context) ([]erasure.Asked, error)
}

// eraseFor is how long one request erases: the function has 29 seconds, and the next click goes on.
const eraseFor = 20 * time.Second

// eraseView is the page that erases a person: it asks for the address, shows what will happen, and asks again.
type eraseView struct {
	Email   web.Field
	Again   web.Field
	Marked  web.Marked
	Preview *erasure.Report // nil: not asked yet
	Rows    []erasedRows    // of the preview
	Report  *erasure.Report // that was just made; nil: none
	Reports []erasure.Report
	Wishes  []erasure.Asked // who asked, and was not erased yet
}

// erasedRows are how many rows of a kind are changed.
type erasedRows struct {
	What string
	N    int
}

// erasedKinds are the types of rows as the page names them, in its order.
var erasedKinds = []struct {
	kind rowkey.Type
	what string
}{
	{rowkey.TypeRequest, "Requests"}, {rowkey.TypeCustomer, "Customers"}, {rowkey.TypeLicense, "Licenses"},
	{rowkey.TypeEvent, "Timeline entries"}, {rowkey.TypeMail, "Emails"}, {rowkey.TypeMailState, "Email states"},
	{rowkey.TypeLetter, "Texts of sent emails"}, {rowkey.TypeReport, "Delivery reports"},
	{rowkey.TypeUnsubscribed, "Unsubscriptions"}, {rowkey.TypeSuppression, "Suppressed addresses"},
	{rowkey.TypeConfirmation, "Confirmations"}, {rowkey.TypeIndex, "Index entries"},
}

func rowsOf(r erasure.Report) (list []erasedRows) {
	rest := r.Total()
	for _, k := range erasedKinds {
		if n := r.Rows[string(k.kind)]; n > 0 {
			list = append(list, erasedRows{k.what, n})
			rest -= n
		}
	}
	if rest > 0 {
		list = append(list, erasedRows{"Other rows", rest})
	}
	return list
}

func newEraseView() eraseView {
	return eraseView{
		Email: web.Field{
			Name: "email", Label: "Email address", Required: true, Type: "email",
			Hint: "The address of the person who asked us, in any spelling.",
		},
		Again: web.Field{
			Name: "again", Label: "Enter the address again to confirm", Required: true, Type: "email",
		},
	}
}

// eraseForm asks for an address, and lists what was erased before.
func (s *site) eraseForm(w http.ResponseWriter, r *http.Request) error {
	v := newEraseView()
	var err error
	if v.Reports, err = s.eraser.Reports(r.Context()); err != nil {
		return err
	}
	if v.Wishes, err = s.eraser.Wishes(r.Context()); err != nil {
		return err
	}
	for i := range v.Reports {
		if v.Reports[i].Hash == r.URL.Query().Get("of") {
			v.Report = &v.Reports[i]
		}
	}
	return s.showErase(w, r, http.StatusOK, v)
}

func (s *site) showErase(w http.ResponseWriter, r *http.Request, status int, v eraseView) error {
	title := "Erase a person"
	if status != http.StatusOK {
		title = "Not erased: " + title
	}
	return s.render(w, r, status, "erase.html", inErase, title, v)
}

// erase shows what an erasure will do, or does it where the address was entered twice. The address is in the form
// alone: addresses of pages are logged.
func (s *site) erase(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	v := newEraseView()
	v.Email.Value, v.Again.Value = strings.TrimSpace(form.Get("email")), strings.TrimSpace(form.Get("again"))
	preview, err := s.eraser.Preview(r.Context(), v.Email.Value)
	if fault.KindOf(err) == fault.Invalid {
		v.Marked = web.Mark([]fault.Field{{Name: "email", Msg: fault.Sentence(err)}}, &v.Email)
		return s.showErase(w, r, http.StatusUnprocessableEntity, v)
	}
	if err != nil {
		return err
	}
	v.Preview, v.Rows = &preview, rowsOf(preview)
	if !form.Has("again") {
		return s.showErase(w, r, http.StatusOK, v)
	}
	if !input.SameMailbox(v.Email.Value, v.Again.Value) {
		v.Marked = web.Mark([]fault.Field{{Name: "again", Msg: "Enter the same address as before."}}, &v.Again)
		return s.showErase(w, r, http.StatusUnprocessableEntity, v)
	}
	report, err := s.eraser.Erase(r.Context(), v.Email.Value, erasure.Options{
		By: operator(r), Clear: form["clear"], Until: s.now().Add(eraseFor), Now: s.now,
	})
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/console/erase?"+url.Values{"of": {report.Hash}}.Encode(), http.StatusSeeOther)
	return nil
}
