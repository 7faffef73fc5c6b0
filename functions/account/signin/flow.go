package signin

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	mailed "marketplace/shared/mail/notice"
	"marketplace/shared/session"
	"marketplace/shared/store/signin"
	"marketplace/shared/token"
	"marketplace/shared/web"
)

// addressView is the data of address.html.
type addressView struct {
	Email  web.Field
	Return string // the page to return to; "" for the first one
	web.Marked
}

func newAddressView(typed, page string) addressView {
	v := addressView{Return: page}
	v.Email = web.Field{Name: "email", Label: "Email address", Type: "email", Value: typed, Required: true,
		Autocomplete: "email", Hint: "The one at which you receive our license keys or reminders."}
	if page == Home {
		v.Return = ""
	}
	return v
}

// returnPath returns where to go after signing in, if that is a page of the account; else Home.
func returnPath(to string) string {
	page := session.ReturnPath(to, Home, SignOutPath, SignedOutPath, ChoosePath)
	if page == SignInPath || strings.HasPrefix(page, SignInPath+"?") || strings.HasPrefix(page, SignInPath+"/") {
		return Home
	}
	return page
}

// signInFor returns the address that signs in and then leads to a page.
func signInFor(page string) string { return withReturn(SignInPath, page) }

func withReturn(path, page string) string {
	if page = returnPath(page); page != Home {
		return path + "?return=" + url.QueryEscape(page)
	}
	return path
}

// askAddress asks for the address that the link is sent to. Who is signed in already is led on.
func (g *Gate) askAddress(w http.ResponseWriter, r *http.Request) error {
	page := returnPath(r.URL.Query().Get("return"))
	s, ok, err := g.session(r)
	if err == nil && ok && s.Customer != "" {
		_, ok, err = g.seen(r.Context(), s)
	}
	switch {
	case err != nil:
		return err
	case ok:
		http.Redirect(w, r, page, http.StatusSeeOther)
		return nil
	}
	return g.showAddress(w, http.StatusOK, newAddressView("", page))
}

func (g *Gate) showAddress(w http.ResponseWriter, status int, v addressView) error {
	title := "Sign in to your licenses"
	if status != http.StatusOK {
		title = "Error: " + title
	}
	return g.pages.Render(w, status, "address.html", web.View{Title: title, Private: true, Data: v})
}

// begun is what the browser keeps in which a sign-in was begun. The code is nowhere else as it is: who has only the
// link, or reads what is on record, does not know it.
type begun struct {
	Email string `json:"email"`
	Code  string `json:"code"`
	At    int64  `json:"at"` // Unix seconds
}

// codeShown is how long the page shows the code.
const codeShown = time.Hour

// begin begins a sign-in. Whatever the address, the answer is the same.
func (g *Gate) begin(w http.ResponseWriter, r *http.Request) error {
	values, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	v := newAddressView(values.Get("email"), returnPath(values.Get("return")))
	refuse := func(status int, msg string) error {
		v.Marked = web.Mark([]fault.Field{{Name: "email", Msg: msg}}, &v.Email)
		return g.showAddress(w, status, v)
	}
	email, err := input.Email(v.Email.Value)
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return refuse(http.StatusUnprocessableEntity, f.Msg)
	}
	known, err := g.knows(r, email)
	if err != nil {
		return err
	}
	code := token.NewCode()
	_, err = g.signIns.Begin(r.Context(),
		signin.Attempt{Email: email, Code: code, Return: returnPath(values.Get("return")), Known: known})
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind == fault.RateLimited {
		return refuse(http.StatusTooManyRequests, f.Msg)
	}
	if err != nil {
		return err
	}
	kept := begun{Email: email, Code: code, At: g.now().Unix()}
	if err := g.cookies.Set(r.Context(), w, attemptCookie, kept, codeShown); err != nil {
		return err
	}
	http.Redirect(w, r, sentPath, http.StatusSeeOther)
	return nil
}

// sentView is the data of sent.html.
type sentView struct {
	Email string
	Code  string // in two groups, as it is easier to read and type
	Sales string
}

// sent shows the code, and says what to do with it.
func (g *Gate) sent(w http.ResponseWriter, r *http.Request) error {
	var b begun
	ok, err := g.cookies.Read(r, attemptCookie, &b)
	if err != nil {
		return err
	}
	if age := g.now().Sub(time.Unix(b.At, 0)); !ok || age < -session.ClocksDiffer || age >= codeShown {
		http.Redirect(w, r, SignInPath, http.StatusSeeOther)
		return nil
	}
	return g.pages.Render(w, http.StatusOK, "sent.html", web.View{Title: "Check your email", Private: true,
		Data: sentView{Email: b.Email, Code: b.Code[:3] + " " + b.Code[3:], Sales: g.sales}})
}

// codeView is the data of code.html.
type codeView struct {
	Email string
	Code  web.Field
	web.Marked
}

func nonceOf(r *http.Request) string { return token.AccountLink.Read(r.URL.Query().Get("token")) }

func signInID(r *http.Request) string { return strings.ToLower(r.PathValue("signin")) }

// askCode shows the form of a link. It changes nothing: mail scanners open links.
func (g *Gate) askCode(w http.ResponseWriter, r *http.Request) error {
	one, err := g.signIns.Open(r.Context(), signInID(r), nonceOf(r))
	if err != nil {
		return g.refuseLink(w, r, err)
	}
	return g.showCode(w, one.Email, "", nil)
}

func (g *Gate) showCode(w http.ResponseWriter, email, typed string, bad []fault.Field) error {
	v := codeView{Email: email, Code: web.Field{Name: "code", Label: "Six-digit code", Value: typed, Required: true,
		InputMode: "numeric", Autocomplete: "one-time-code", Class: "short",
		Hint: "It is on the page where you entered your email address."}}
	title, status := "Enter your code", http.StatusOK
	if v.Marked = web.Mark(bad, &v.Code); len(bad) > 0 {
		title, status = "Error: "+title, http.StatusUnprocessableEntity
	}
	private(w)
	return g.pages.Render(w, status, "code.html", web.View{Title: title, Private: true, Data: v})
}

// private keeps the address of a page with a secret from other sites, and still names the site to ourselves.
func private(w http.ResponseWriter) { w.Header().Set("Referrer-Policy", "strict-origin") }

// enter takes the code, and signs in.
func (g *Gate) enter(w http.ResponseWriter, r *http.Request) error {
	values, err := web.ReadForm(r)
	if err != nil {
		return err
	}
	typed := values.Get("code")
	code := digits(typed)
	if len(code) != 6 {
		one, err := g.signIns.Open(r.Context(), signInID(r), nonceOf(r))
		if err != nil {
			return g.refuseLink(w, r, err)
		}
		return g.showCode(w, one.Email, typed, []fault.Field{{Name: "code",
			Msg: "Enter the six digits that the page shows, for example 123 456."}})
	}
	one, err := g.signIns.Enter(r.Context(), signInID(r), nonceOf(r), code)
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind == fault.Invalid {
		open, again := g.signIns.Open(r.Context(), signInID(r), nonceOf(r))
		if again != nil {
			return g.refuseLink(w, r, again)
		}
		return g.showCode(w, open.Email, "", f.Fields)
	}
	if err != nil {
		return g.refuseLink(w, r, err)
	}
	if err := g.end(r); err != nil { // nobody could sign out of it once its cookie is replaced
		return err
	}
	g.cookies.Clear(w, r, attemptCookie)
	return g.admit(w, r, one)
}

// digits returns the digits of a text.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// admit signs in the person with a mailbox, at their customer or to choose one of several.
func (g *Gate) admit(w http.ResponseWriter, r *http.Request, by signin.SignIn) error {
	email, page := by.Email, returnPath(by.Return)
	accounts, err := g.accounts.AccountsOf(r.Context(), email)
	if err != nil {
		return err
	}
	open, later := g.choices(accounts, email)
	s := Session{ID: token.Session.New(), Email: email, Mail: mailed.IDOf(by.ID, mailed.Link),
		Several: len(open)+len(later) > 1, Times: session.Begin(g.now())}
	switch {
	case len(open) == 0 && len(later) == 0:
		return g.refuse(w, r, refusal{
			err: fault.New(fault.Forbidden, "%s is no longer a contact for any licenses. Ask a colleague who is, or "+
				"write to %s.", email, g.sales),
			title: "There is nothing to show", reason: "no contact",
		})
	case len(open) == 0:
		return g.refuse(w, r, notYet(later[0]))
	case len(open) == 1 && len(later) == 0:
		s.Customer = open[0].ID
		if err := g.signIns.RecordVisit(r.Context(), s.Customer); err != nil {
			return err
		}
	default:
		page = withReturn(ChoosePath, page)
	}
	if err := g.write(r.Context(), w, s); err != nil {
		return err
	}
	if err := g.remember(w, r, email); err != nil {
		return err
	}
	g.log.LogAttrs(r.Context(), slog.LevelInfo, "signed in to the account", slog.String("customer", s.Customer))
	http.Redirect(w, r, page, http.StatusSeeOther)
	return nil
}

// choice is a customer that a person is a contact of.
type choice struct {
	ID, Name  string
	Reference string
	From      time.Time // from when on the person may open the account; zero: now
}

// choices parts the customers of a person into those whose account may be opened now and later.
func (g *Gate) choices(accounts []*customer.Account, email string) (open, later []choice) {
	for _, a := range accounts {
		one := choice{ID: a.Customer.ID, Name: a.Customer.Name, Reference: string(a.Customer.Reference)}
		contact, ok := a.Contact(email)
		if _, may := a.SeenBy(email, g.now()); may {
			open = append(open, one)
		} else if ok {
			one.From = contact.Effect()
			later = append(later, one)
		}
	}
	return open, later
}

// signOut ends the session. The browser keeps its cookie until the end is recorded, so that signing out can be retried.
func (g *Gate) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := g.end(r); err != nil {
		return err
	}
	g.cookies.Clear(w, r, sessionCookie)
	g.cookies.Clear(w, r, attemptCookie)
	http.Redirect(w, r, SignedOutPath, http.StatusSeeOther)
	return nil
}

// signedOut says that the session has ended.
func (g *Gate) signedOut(w http.ResponseWriter, _ *http.Request) error {
	return g.show(w, http.StatusOK, notice{Title: "You are signed out", Text: "To see your licenses again, sign in.",
		Link: "Sign in", To: SignInPath})
}
