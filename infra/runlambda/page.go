package main

import (
	"bytes"
	_ "embed"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"marketplace/functions/mailevents/feedback/feedbacktest"
	"marketplace/shared/mail/eml"
)

//go:embed page.html
var pageText string

// sent is a mail on the page.
type sent struct {
	N                 int
	To, Subject, Text string
	At                time.Time
}

// pages shows what runs, and the mails, and moves the clock.
func (s *Server) pages() http.Handler {
	page := template.Must(template.New("page").Parse(pageText))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_local/{$}", func(w http.ResponseWriter, _ *http.Request) {
		s.show(w, page)
	})
	mux.HandleFunc("POST /_local/clock", func(w http.ResponseWriter, r *http.Request) {
		to, err := time.Parse(time.RFC3339, r.PostFormValue("now"))
		if by, failed := time.ParseDuration(r.PostFormValue("by")); failed == nil {
			to, err = s.clock.Now().Add(by), nil
		}
		if err == nil {
			err = s.MoveClock(r.Context(), to)
		}
		back(w, r, err)
	})
	mux.HandleFunc("POST /_local/mails/{n}/bounce", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.PathValue("n"))
		accepted := s.mail.Accepted()
		if err != nil || n < 0 || n >= len(accepted) {
			http.NotFound(w, r)
			return
		}
		m := accepted[n].Mail
		s.publish(feedbacktest.HardBounce().Late(m, s.clock.Now().Sub(m.At)).JSON(m))
		back(w, r, s.Settle(r.Context()))
	})
	return http.NewCrossOriginProtection().Handler(mux)
}

func back(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	http.Redirect(w, r, "/_local/", http.StatusSeeOther)
}

// row is a line of a table on the page.
type row struct{ Name, About, Count any }

func (s *Server) show(w http.ResponseWriter, page *template.Template) {
	s.work.Lock()
	view := s.view()
	s.work.Unlock()
	var body bytes.Buffer
	if err := page.Execute(&body, view); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(body.Bytes())
}

func (s *Server) view() map[string]any {
	var mails []sent
	for n, a := range s.mail.Accepted() {
		m, err := eml.Parse(bytes.NewReader(a.Raw))
		if err != nil {
			m.Subject = err.Error()
		}
		mails = append(mails, sent{N: n, To: a.To, Subject: m.Subject, Text: m.Text, At: a.At})
	}
	slices.Reverse(mails)
	var schedules, functions, routes, queues []row
	for _, sch := range s.schedules {
		name := sch.function + ", " + sch.name
		schedules = append(schedules, row{name, sch.expression, sch.next.Format(time.RFC1123)})
	}
	for _, id := range slices.Sorted(maps.Keys(s.pools)) {
		p := s.pools[id]
		p.mu.Lock()
		functions = append(functions, row{id, p.runs, p.failed})
		p.mu.Unlock()
	}
	for _, r := range s.routes {
		routes = append(routes, row{r.key, r.function, r.limit.rate})
	}
	for _, arn := range slices.Sorted(maps.Keys(s.queues)) {
		queues = append(queues, row{Name: arn[strings.LastIndex(arn, ":")+1:], Count: len(s.queues[arn].bodies())})
	}
	return map[string]any{"Now": s.clock.Now(), "Mails": mails, "Schedules": schedules, "Functions": functions,
		"Routes": routes, "Queues": queues}
}
