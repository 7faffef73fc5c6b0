package signin

import (
	"net/http"
	"slices"

	"marketplace/shared/fault"
	"marketplace/shared/web"
)

// chooseView is the data of choose.html.
type chooseView struct {
	Email    string
	Customer web.Field
	Later    []choice
	Return   string
	web.Marked
}

// choose asks a contact of several customers which account to open.
func (g *Gate) choose(w http.ResponseWriter, r *http.Request) error {
	page := returnPath(r.URL.Query().Get("return"))
	s, ok, err := g.session(r)
	if err != nil {
		return err
	}
	if !ok {
		http.Redirect(w, r, signInFor(page), http.StatusSeeOther)
		return nil
	}
	v, _, err := g.chooseView(r, s, page)
	if err != nil {
		return err
	}
	return g.showChoose(w, v, nil)
}

func (g *Gate) chooseView(r *http.Request, s Session, page string) (v chooseView, open []choice, err error) {
	accounts, err := g.accounts.AccountsOf(r.Context(), s.Email)
	if err != nil {
		return v, nil, err
	}
	v = chooseView{Email: s.Email, Return: page, Customer: web.Field{Name: "customer", Label: "Company", Type: "radio",
		Required: true, Class: "rows", Value: s.Customer}}
	if page == Home {
		v.Return = ""
	}
	open, v.Later = g.choices(accounts, s.Email)
	for _, c := range open {
		v.Customer.Options = append(v.Customer.Options, web.Option{Value: c.ID, Label: c.Name, Hint: c.Reference})
	}
	return v, open, nil
}

func (g *Gate) showChoose(w http.ResponseWriter, v chooseView, bad []fault.Field) error {
	title, status := "Choose a company", http.StatusOK
	if v.Marked = web.Mark(bad, &v.Customer); len(bad) > 0 {
		title, status = "Error: "+title, http.StatusUnprocessableEntity
	}
	return g.pages.Render(w, status, "choose.html", web.View{Title: title, Private: true, Data: v})
}

// chosen opens the account that the person chose.
func (g *Gate) chosen(w http.ResponseWriter, r *http.Request) error {
	values, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	page := returnPath(values.Get("return"))
	s, ok, err := g.session(r)
	switch {
	case err != nil:
		return err
	case !ok:
		return g.refuse(w, r, signedOutMeanwhile(signInFor(page)))
	}
	v, open, err := g.chooseView(r, s, page)
	if err != nil {
		return err
	}
	id := values.Get("customer")
	if !slices.ContainsFunc(open, func(c choice) bool { return c.ID == id }) {
		v.Customer.Value = ""
		return g.showChoose(w, v, []fault.Field{{Name: "customer", Msg: "Choose one of the companies."}})
	}
	if err := g.signIns.RecordVisit(r.Context(), id); err != nil {
		return err
	}
	s.Customer, s.Several = id, true
	if err := g.write(r.Context(), w, s); err != nil {
		return err
	}
	http.Redirect(w, r, page, http.StatusSeeOther)
	return nil
}
