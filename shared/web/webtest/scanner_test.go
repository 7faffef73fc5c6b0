package webtest

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
)

// trap is a site on which a scanner finds everything that it can follow.
func trap(posted *[]string) http.Handler {
	page := func(html string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, html)
		}
	}
	post := func(next string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			_ = r.ParseForm()
			*posted = append(*posted, r.URL.RequestURI()+" "+r.PostForm.Encode())
			http.Redirect(w, r, next, http.StatusSeeOther)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /start", page(`<a href="/linked?a=1#x">to</a><a href="https://elsewhere.example/">away</a>
<a href="mailto:x@y.example">mail</a>
<form method="post"><input type="hidden" name="token" value="t"><input type="radio" name="answer" value="yes">
<input type="checkbox" name="all" value="1" checked><input name="note" value="n"><textarea name="text">x</textarea>
<select name="s"><option value="1">one</option></select><button name="do" value="it">Do</button></form>
<form action="/find"><input name="q" value="a b"></form>`))
	mux.HandleFunc("GET /linked", page(`<form method="post" action="/one"><button>Press</button></form>`))
	mux.HandleFunc("GET /find", page(`<p>`))
	mux.HandleFunc("GET /after", page(`<a href="/start?token=x">back</a>`))
	mux.HandleFunc("POST /start", post("/after"))
	mux.HandleFunc("POST /one", post("/after"))
	return mux
}

func TestScannerFollowsAndSubmitsEverything(t *testing.T) {
	var posted []string
	s := &Scanner{Client: Client{T: t, Site: trap(&posted)}, SiteURL: "https://site.example"}
	s.Scan("Open https://site.example/start?token=x&confirm=y or https://site.example.evil/start.")
	const form = "all=1&note=n&s=1&text=x&token=t"
	want := []string{
		"/one ", "/start?token=x " + form, "/start?token=x all=1&do=it&note=n&s=1&text=x&token=t",
		"/start?token=x&confirm=y " + form, "/start?token=x&confirm=y all=1&do=it&note=n&s=1&text=x&token=t",
	}
	slices.Sort(posted)
	slices.Sort(want)
	if !slices.Equal(posted, want) {
		t.Errorf("got posted\n%q, want\n%q", posted, want)
	}
	for _, at := range []string{"/linked?a=1", "/find?q=a+b", "/after"} {
		if !slices.Contains(s.Opened, at) {
			t.Errorf("got opened %q, want %s as well", s.Opened, at)
		}
	}
	s.Scan(`<p><a href="https://site.example/start?mail=1">x</a>`)
	if !slices.Contains(s.Opened, "/start?mail=1") {
		t.Errorf("got opened %q, want the link of the HTML as well", s.Opened)
	}
}
