package main

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/web"
)

// readNow reads the new time from the form field “now”, RFC 3339. The form is sent by a browser or by curl -F.
func readNow(r *http.Request) (time.Time, error) {
	form, err := readAnyForm(r)
	if err != nil {
		return time.Time{}, err
	}
	const example = "Send an RFC 3339 time, for example 2018-07-01T09:00:00Z."
	switch typed := form["now"]; {
	case len(typed) == 0:
		return time.Time{}, fault.New(fault.Invalid, "Form field “now” is missing. "+example)
	case len(typed) > 1:
		return time.Time{}, fault.New(fault.Invalid, "Form field “now” was sent %d times. Send it once.", len(typed))
	case strings.TrimSpace(typed[0]) == "":
		return time.Time{}, fault.New(fault.Invalid, "Form field “now” is empty. "+example)
	default:
		to, err := time.Parse(time.RFC3339, strings.TrimSpace(typed[0]))
		if err != nil {
			return to, fault.Wrap(fault.Invalid, err, "Form field “now” is %.60q. "+example, typed[0])
		}
		return to, nil
	}
}

// readAnyForm is web.ReadForm for multipart/form-data too; it ignores files.
func readAnyForm(r *http.Request) (url.Values, error) {
	if contentType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); contentType != "multipart/form-data" {
		return web.ReadForm(r)
	}
	r.Body = http.MaxBytesReader(nil, r.Body, web.MaxBody)
	err := r.ParseMultipartForm(web.MaxBody)
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, tooLarge
	}
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "We could not read the form: it is damaged or wrongly encoded.")
	}
	return r.MultipartForm.Value, nil
}
