package main

import (
	"embed"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"marketplace/catalog/custompackage"
	"marketplace/infra/licenseimport"
	"marketplace/infra/local/frame"
	"marketplace/infra/localdata"
	"marketplace/shared/fault"
	"marketplace/shared/mail/letter/sample"
	"marketplace/shared/mail/outboxdir"
	"marketplace/shared/web"
)

//go:embed templates
var templateFiles embed.FS

// localPages serves what exists only locally: the outbox, clock and import below /_local/, and custom packages in place
// of the CDN. The Lambdas contain none of it.
type localPages struct {
	data       localdata.Dir
	worker     *worker
	outbox     *outboxdir.Dir
	imports    licenseimport.Options
	mailEvents mailEventsFunc
	events     *randomEvents
	pages      *web.Pages
}

// The pages' data, by template.
type (
	indexView struct {
		Now  time.Time
		Data localdata.Dir
	}
	clockView struct {
		Now   time.Time
		Steps []clockStep
	}
	clockStep struct {
		Label string
		To    time.Time
	}
	outboxView struct {
		Mails []outboxdir.Item
		Share string // of emails that do not arrive, as randomEvents.set takes it
	}
)

func newPages(data localdata.Dir, w *worker, outbox *outboxdir.Dir, imports licenseimport.Options,
	mailEvents mailEventsFunc, events *randomEvents, samples previews, log *slog.Logger) http.Handler {
	p := &localPages{data, w, outbox, imports, mailEvents, events,
		web.NewPages(web.Layers{templateFiles, frame.Templates, sample.Templates}, samples.Writer.Brand)}
	samples.pages = p
	return web.New(web.Options{Routes: append(p.routes(), samples.routes()...), Pages: p.pages, Log: log})
}

func (p *localPages) routes() []web.Route {
	return []web.Route{
		{Pattern: "GET /_local/{$}", Handle: p.index},
		{Pattern: "GET /_local/clock", Handle: p.clock},
		{Pattern: "POST /_local/clock", Handle: p.moveClock},
		{Pattern: "POST /_local/licenses", Handle: p.importLicenses},
		{Pattern: "GET " + packagesPath + "/tailored/{name}", Handle: p.customPackage},
		{Pattern: "GET /_local/outbox", Handle: p.mails},
		{Pattern: "GET /_local/outbox.json", Handle: p.mailsJSON},
		{Pattern: "POST /_local/outbox", Handle: p.switchEvents},
		{Pattern: "GET /_local/outbox/{id}", Handle: p.mail},
		{Pattern: "POST /_local/outbox/{id}/report", Handle: p.reportMail},
		{Pattern: "GET /_local/outbox/{id}/html", Handle: p.mailHTML},
		{Pattern: "GET /_local/outbox/{id}/message.eml", Handle: p.mailRaw},
		{Pattern: "GET /_local/outbox/{id}/attachments/{n}", Handle: p.attachment},
	}
}

func (p *localPages) index(w http.ResponseWriter, _ *http.Request) error {
	return p.render(w, "index.html", "Local pages", indexView{p.worker.clock.Now(), p.data})
}

// clockState is the JSON of GET and POST /_local/clock.
type clockState struct {
	Now time.Time `json:"now"`
}

func (p *localPages) clock(w http.ResponseWriter, r *http.Request) error {
	now := p.worker.clock.Now()
	if !wantsPage(r) {
		return web.WriteJSON(w, http.StatusOK, clockState{Now: now})
	}
	return p.render(w, "clock.html", "Clock", clockView{now, []clockStep{
		{"One day forward", now.AddDate(0, 0, 1)},
		{"One week forward", now.AddDate(0, 0, 7)},
		{"One month forward", now.AddDate(0, 1, 0)},
		{"One year forward", now.AddDate(1, 0, 0)},
		{"Back to the current time", time.Now()},
	}})
}

// maxMove limits a move of the clock, since the worker runs every day in between.
const maxMove = 50 * 366 * 24 * time.Hour

func (p *localPages) moveClock(w http.ResponseWriter, r *http.Request) error {
	to, err := readNow(r)
	if err != nil {
		return err
	}
	if move := to.Sub(p.worker.clock.Now()).Abs(); move > maxMove {
		return fault.New(fault.Invalid, "Move the clock by at most 50 years.")
	}
	if err := p.worker.move(r.Context(), to); err != nil {
		return err
	}
	if wantsPage(r) {
		http.Redirect(w, r, "/_local/clock", http.StatusSeeOther)
		return nil
	}
	return web.WriteJSON(w, http.StatusOK, clockState{Now: p.worker.clock.Now()})
}

// importLicenses imports the CSV file in the body (see package licenseimport). With ?skip-refused=true it imports the
// other lines if some are refused.
func (p *localPages) importLicenses(w http.ResponseWriter, r *http.Request) error {
	skip := r.URL.Query().Get("skip-refused") == "true"
	file := http.MaxBytesReader(nil, r.Body, licenseimport.MaxFile)
	options := p.imports
	options.SkipRefused = skip
	report, err := licenseimport.Import(r.Context(), file, options)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, report)
}

// mailsJSON serves /_local/outbox.json: an array of outboxdir.Item, newest first.
func (p *localPages) mailsJSON(w http.ResponseWriter, r *http.Request) error {
	items, err := p.deliverAndList(r)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, items)
}

func (p *localPages) mails(w http.ResponseWriter, r *http.Request) error {
	items, err := p.deliverAndList(r)
	if err != nil {
		return err
	}
	return p.render(w, "outbox.html", "Outbox", outboxView{items, p.events.text()})
}

// deliverAndList sends waiting emails and lists the outbox, so that a page shows everything that was caused before.
func (p *localPages) deliverAndList(r *http.Request) ([]outboxdir.Item, error) {
	p.worker.deliver(r.Context())
	return p.outbox.List()
}

func (p *localPages) mail(w http.ResponseWriter, r *http.Request) error {
	m, err := p.outbox.Read(r.PathValue("id"))
	if err != nil {
		return err
	}
	return p.render(w, "mail.html", m.Subject, m)
}

// mailHTML serves the HTML of an email for the frame in mail.html, where it can run nothing.
func (p *localPages) mailHTML(w http.ResponseWriter, r *http.Request) error {
	m, err := p.outbox.Read(r.PathValue("id"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy",
		"sandbox allow-popups allow-popups-to-escape-sandbox; "+
			"default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'")
	// Email programs open links in a new window.
	_, err = io.WriteString(w, strings.Replace(m.HTML, "<head>", `<head><base target="_blank">`, 1))
	return err
}

// mailRaw serves the message as sent, for an email program.
func (p *localPages) mailRaw(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if _, err := p.outbox.Read(id); err != nil {
		return err
	}
	raw, err := os.ReadFile(filepath.Join(p.data.Outbox(), id+".eml"))
	if err != nil {
		return err
	}
	return download(w, id+".eml", raw)
}

func (p *localPages) attachment(w http.ResponseWriter, r *http.Request) error {
	m, err := p.outbox.Read(r.PathValue("id"))
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil || n < 0 || n >= len(m.Attachments) {
		return fault.New(fault.NotFound, "This email has no such attachment.")
	}
	return download(w, m.Attachments[n].Name, m.Attachments[n].Data)
}

// packagesPath replaces the CDN for custom packages.
const packagesPath = "/_local/packages"

func (p *localPages) customPackage(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	if err := custompackage.CheckName(name); err != nil {
		return fault.Wrap(fault.NotFound, err, "There is no such package.")
	}
	data, err := os.ReadFile(filepath.Join(p.data.CustomPackages(), name))
	if err != nil {
		return fault.Wrap(fault.NotFound, err, "There is no such package.")
	}
	w.Header().Set("Content-Type", "application/zip")
	return download(w, name, data)
}

func download(w http.ResponseWriter, name string, data []byte) error {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/octet-stream")
	}
	w.Header().Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(name))
	_, err := w.Write(data)
	return err
}

// render shows a page; its frames are emails.
func (p *localPages) render(w http.ResponseWriter, page, title string, data any) error {
	w.Header().Set("Content-Security-Policy",
		"default-src 'none'; style-src 'self'; frame-src 'self'; img-src 'self' data:; form-action 'self'")
	return p.pages.Render(w, http.StatusOK, page, web.View{Title: title, Private: true, Data: data})
}

// wantsPage tells browsers from programs.
func wantsPage(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }
