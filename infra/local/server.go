package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	netmail "net/mail"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	visitors "marketplace/functions/account/signin"
	"marketplace/functions/bridge/issue"
	"marketplace/functions/catalog/api"
	"marketplace/functions/console/signin"
	"marketplace/functions/mailer/dispatch"
	"marketplace/functions/mailevents/feedback"
	"marketplace/functions/reminders/daily"
	"marketplace/functions/reminders/late"
	"marketplace/functions/requests/site"
	"marketplace/infra/licenseimport"
	"marketplace/infra/local/devidp"
	"marketplace/infra/localdata"
	"marketplace/infra/replan"
	"marketplace/shared/config"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/letter/sample"
	"marketplace/shared/mail/outboxdir"
	"marketplace/shared/store"
	"marketplace/shared/store/bridge"
	"marketplace/shared/store/deletion"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/expansion"
	"marketplace/shared/store/requester"
	"marketplace/shared/store/search"
	"marketplace/shared/table"
	"marketplace/shared/table/bolt"
)

// Options configures a Server.
type Options struct {
	Addr   string // to listen on; port 0 selects a free one
	Data   localdata.Dir
	Config config.Config // SiteURL, MailFrom and SalesEmail have defaults here
	Empty  bool          // start without sample requests and licenses
	// MailEvents is the share of emails that do not arrive, from 0 to 1: SES's events are published at random. ""
	// publishes none. The outbox page changes it.
	MailEvents string
	// Preview is a folder of release metadata, read each time that the console shows it; "" for none.
	Preview string
	Now     func() time.Time
	Log     *slog.Logger
}

// Server is every function of the product on one port.
type Server struct {
	URL string // its address: http://localhost:8080

	http   http.Server
	data   localdata.Dir
	store  *delivery.Store
	stop   context.CancelFunc // ends the worker
	done   sync.WaitGroup
	served chan error
	close  func() error // closes the table
}

// Start starts a server. It accepts requests when Start returns.
func Start(ctx context.Context, o Options) (_ *Server, err error) {
	ln, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, fmt.Errorf("%w; try another PORT", err)
	}
	s := &Server{
		URL:    fmt.Sprintf("http://localhost:%d", ln.Addr().(*net.TCPAddr).Port),
		data:   o.Data,
		stop:   func() {},
		served: make(chan error, 1),
		close:  func() error { return nil },
	}
	defer func() {
		if err != nil {
			ln.Close()
			s.close()
		}
	}()
	if err := s.assemble(ctx, o); err != nil {
		return nil, err
	}
	go func() { s.served <- s.http.Serve(ln) }()
	return s, o.Data.Announce(s.URL)
}

// assemble wires the functions as template.yaml does in the cloud.
func (s *Server) assemble(ctx context.Context, o Options) error {
	c := withDefaults(o.Config, s.URL)
	if err := os.MkdirAll(string(o.Data), 0o700); err != nil {
		return err
	}
	clock, err := o.Data.OpenClock(o.Now)
	if err != nil {
		return err
	}
	engine, closeTable, err := o.Data.OpenTable(ctx, c)
	if err != nil {
		return err
	}
	s.close = closeTable
	if err := o.Data.RemoveUnfinished(); err != nil {
		return err
	}
	outbox, err := outboxdir.Open(o.Data.Outbox(), mail.AddressOf(c.MailFrom), clock.Now)
	if err != nil {
		return err
	}
	catalogs, err := openCatalogs(c, o)
	if err != nil {
		return err
	}
	issuer, err := o.Data.Issuer()
	if err != nil {
		return err
	}
	err = seedOnce(ctx, engine, func(t table.Table) error {
		if o.Empty {
			return nil
		}
		return seed(ctx, t, issuer, catalogs.sample, c.Hours, clock.Now())
	})
	if err != nil {
		return err
	}

	w := &worker{clock: clock, log: o.Log, wake: make(chan struct{}, 1), expire: func(context.Context) error {
		if b, ok := engine.(*bolt.Table); ok {
			_, err := b.Sweep(clock.Now())
			return err
		}
		return nil
	}}
	touched, waiting := new(atomic.Bool), true
	db := delivery.New(store.New(wakingTable{engine, w.wake, touched}, store.Options{
		Now: clock.Now, Reminders: c.Reminders, Retention: c.Retention, Hours: c.Hours,
	}))
	s.store = db
	w.idle = func(ctx context.Context) bool {
		if touched.Swap(false) || waiting {
			queued, err := db.QueuedMails(ctx, 1)
			waiting = err != nil || queued.Total() > 0
		}
		return !waiting
	}
	if err := recoverMails(ctx, db.Outbox(), outbox, clock.Now()); err != nil {
		return err
	}
	letters := letter.Writer{URL: c.SiteURL, Packages: c.PackagesURL, Sales: mail.AddressOf(c.SalesEmail),
		Reminders: c.Reminders, Hours: c.Hours, Brand: c.Brand}
	mailEvents := feedback.New(feedback.Options{Store: db, Now: clock.Now, Log: o.Log})
	events, err := newRandomEvents(outbox, o.MailEvents, clock.Now, mailEvents.Invoke)
	if err != nil {
		return fmt.Errorf("MAIL_EVENTS: %w", err)
	}
	w.mailer = events.after(dispatch.New(dispatch.Options{
		Outbox: db.Outbox(), Records: db, Expander: expansion.New(db), Write: letters.With(catalogs.current),
		Sender: events, Now: clock.Now, Log: o.Log,
	}).Run)
	w.bridges = issue.New(issue.Options{
		Store: bridge.New(db.Store), Catalog: catalogs.current, Now: clock.Now, Log: o.Log,
		Issuer: func() (license.Issuer, error) { return issuer, nil },
	}).Run
	w.publish = func() { events.front.PublishDue() }
	w.late, w.nextLate = late.New(late.Options{Store: db, Now: clock.Now, Log: o.Log}).Run, db.NextLate
	w.reminders = daily.New(daily.Options{Store: db, Deletion: deletion.New(db.Store), Now: clock.Now, Log: o.Log}).Run

	w.replan = func(ctx context.Context, from time.Time) error {
		return replan.Reminders(ctx, db.Store, from, clock.Now())
	}

	sessionKeys, err := o.Data.SessionKeys()
	if err != nil {
		return err
	}
	hashKeys, err := localdata.HashKeys()
	if err != nil {
		return err
	}
	console, err := newConsole(consoleParts{o, c, db, catalogs.current, issuer, sessionKeys, hashKeys, clock.Now})
	if err != nil {
		return err
	}
	account, err := newAccount(o, c, db, catalogs.current, clock.Now)
	if err != nil {
		return err
	}
	imports := licenseimport.Options{
		Store: db, Search: search.New(db.Store), PublicMailDomains: c.PublicMailDomains,
	}
	functions := router{
		devIDP:  console.devIDP,
		console: console.site,
		account: account,
		pages: newPages(o.Data, w, outbox, imports, mailEvents.Invoke, events, previews{
			Source: sample.Source{Writer: letters, Catalog: catalogs.current},
		}, o.Log),
		catalog: catalogs.api,
		requests: site.New(site.Options{
			Store: db, Requester: requester.New(db.Store), Catalog: catalogs.current, SiteURL: c.SiteURL,
			PackagesURL: c.PackagesURL, Sales: mail.AddressOf(c.SalesEmail), Brand: c.Brand, Log: o.Log,
			Keys: func() (license.KeySet, error) { return issuer.Keys, nil }, Now: clock.Now,
		}),
	}

	s.http = http.Server{
		Handler:           onlyHere(c.SiteURL, functions),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
	}
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.done.Go(func() { w.run(work) })
	s.done.Go(catalogs.prepare)
	return nil
}

// router hands each request to its function, as the HTTP API does. A ServeMux would answer unclean paths itself, where
// the catalog has an answer for scripts of any origin.
type router struct{ devIDP, pages, console, account, catalog, requests http.Handler }

func (f router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, devidp.Path+"/"):
		f.devIDP.ServeHTTP(w, r)
	case r.URL.Path == signin.Home || strings.HasPrefix(r.URL.Path, signin.Home+"/"):
		f.console.ServeHTTP(w, r)
	case r.URL.Path == visitors.Home || strings.HasPrefix(r.URL.Path, visitors.Home+"/"):
		f.account.ServeHTTP(w, r)
	case strings.HasPrefix(r.URL.Path, "/_local/"):
		f.pages.ServeHTTP(w, r)
	case slices.ContainsFunc(api.Patterns(), func(pattern string) bool { return matchesPattern(pattern, r.URL.Path) }):
		f.catalog.ServeHTTP(w, r)
	default:
		f.requests.ServeHTTP(w, r)
	}
}

// matchesPattern reports whether a path matches a pattern, whose last element may be a name in braces.
func matchesPattern(pattern, path string) bool {
	prefix, _, open := strings.Cut(pattern, "{")
	return path == pattern || open && strings.HasPrefix(path, prefix)
}

func withDefaults(c config.Config, url string) config.Config {
	c.SiteURL = cmp.Or(c.SiteURL, url)
	c.PackagesURL = cmp.Or(c.PackagesURL, url+packagesPath)
	c.MailFrom = cmp.Or(c.MailFrom, netmail.Address{Name: "Editions & Licenses", Address: "licensing@vendor.example"})
	c.SalesEmail = cmp.Or(c.SalesEmail, netmail.Address{Name: "Sales operations", Address: "sales@vendor.example"})
	return c
}

// Close stops the server: it finishes the running requests, then closes everything.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	s.stop()
	s.done.Wait()
	return errors.Join(err, s.close(), s.data.Withdraw())
}
