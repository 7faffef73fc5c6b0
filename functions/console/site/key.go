package site

import (
	"log/slog"
	"net/http"

	"marketplace/shared/license"
	"marketplace/shared/store"
	"marketplace/shared/store/audit"
)

// keyView is the page of a license's key.
type keyView struct{ license.License }

// readKey returns the license in the address, with its key, once the audit has who reads it and how.
func (s *site) readKey(r *http.Request, how store.Action) (license.License, error) {
	recorded, err := s.licenseRecord(r)
	l := recorded.License
	switch {
	case err != nil:
		return l, err
	case l.KeyText == "":
		return l, errNoKey(l)
	case r.Method == http.MethodHead: // it gets no key
		return l, nil
	}
	s.logBy(r, string(how), slog.String("license", l.ID))
	return l, s.audit.RecordKeyRead(r.Context(), operator(r), how, l.ID, l.Customer)
}

// showKey shows the key of a license, on a page of its own: whoever opens the license does not read the key.
func (s *site) showKey(w http.ResponseWriter, r *http.Request) error {
	l, err := s.readKey(r, audit.KeyShown)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, "key.html", inLicenses, "License key", keyView{l})
}

// downloadKey answers with the license key as a file, for people who cannot copy it from the page.
func (s *site) downloadKey(w http.ResponseWriter, r *http.Request) error {
	l, err := s.readKey(r, audit.KeyLoaded)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=us-ascii")
	w.Header().Set("Content-Disposition", `attachment; filename="license-`+l.ID+`.txt"`)
	if r.Method == http.MethodHead {
		return nil
	}
	_, err = w.Write([]byte(l.KeyText + "\n"))
	return err
}
