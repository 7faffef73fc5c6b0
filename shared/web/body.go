package web

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"marketplace/shared/fault"
)

// MaxBody is the maximum size of a request body, in bytes.
const MaxBody = 64 << 10

// ReadForm reads the form in a body, without the query: application/x-www-form-urlencoded, UTF-8, complete, at most
// MaxBody. Faults are TooLarge, Unsupported and Invalid.
func ReadForm(r *http.Request) (url.Values, error) {
	body, err := readBody(r, "application/x-www-form-urlencoded")
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(body)
	return readable(form, err)
}

// ReadAnyForm is ReadForm for senders that may also use multipart/form-data (RFC 7578). Files are left out.
func ReadAnyForm(r *http.Request) (url.Values, error) {
	const multiple = "multipart/form-data"
	have, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || have != multiple {
		return ReadForm(r)
	}
	body, err := readBody(r, multiple)
	if err != nil {
		return nil, err
	}
	form, err := multipart.NewReader(strings.NewReader(body), params["boundary"]).ReadForm(MaxBody)
	if err != nil {
		return readable(nil, err)
	}
	return readable(form.Value, form.RemoveAll())
}

// readable returns a form that was read without an error and is in UTF-8.
func readable(form url.Values, err error) (url.Values, error) {
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err,
			"We could not read the form: it is damaged or not encoded correctly.")
	}
	for name, values := range form {
		if !utf8.ValidString(name) || !utf8.ValidString(strings.Join(values, "")) {
			return nil, fault.New(fault.Invalid, "We could not read the form: it is not in UTF-8.")
		}
	}
	return form, nil
}

// ReadJSON reads a JSON body: application/json, UTF-8, complete, at most MaxBody. Faults are as in ReadForm.
func ReadJSON(r *http.Request) (string, error) {
	body, err := readBody(r, "application/json")
	if err == nil && !utf8.ValidString(body) {
		err = fault.New(fault.Invalid, "Send the body in UTF-8.")
	}
	return body, err
}

func readBody(r *http.Request, contentType string) (string, error) {
	have, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := params["charset"]
	if err != nil || have != contentType || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return "", fault.Wrap(fault.Unsupported, err, "Send the body as %s, in UTF-8.", contentType)
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return "", fault.New(fault.Unsupported, "Send the body without Content-Encoding.")
	}
	var body strings.Builder
	_, err = io.Copy(&body, http.MaxBytesReader(nil, r.Body, MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return "", fault.Wrap(fault.TooLarge, err, "What you sent is too large: the limit is %d KB.", MaxBody>>10)
	case err != nil:
		return "", fault.Wrap(fault.Invalid, err, "The body arrived incomplete. Send it again.")
	case r.ContentLength > 0 && int64(body.Len()) != r.ContentLength:
		return "", fault.New(fault.Invalid, "The body arrived incomplete. Send it again.")
	}
	return body.String(), nil
}
