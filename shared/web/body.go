package web

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"marketplace/shared/fault"
)

// MaxBody is how large the body of a request may be, in bytes.
const MaxBody = 64 << 10

// ReadForm reads the form in a body: application/x-www-form-urlencoded, UTF-8, whole, at most MaxBody. The query is no
// part of it. Faults are TooLarge, Unsupported and Invalid.
func ReadForm(r *http.Request) (url.Values, error) {
	body, err := readBody(r, "application/x-www-form-urlencoded")
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(body)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "The form could not be read: it is damaged or wrongly encoded.")
	}
	for name, values := range form {
		if !utf8.ValidString(name) || !utf8.ValidString(strings.Join(values, "")) {
			return nil, fault.New(fault.Invalid, "The form could not be read: it is not in UTF-8.")
		}
	}
	return form, nil
}

// ReadJSON reads the bytes of a JSON body: application/json, UTF-8, whole, at most MaxBody. Faults are as in ReadForm.
func ReadJSON(r *http.Request) (string, error) {
	body, err := readBody(r, "application/json")
	if err == nil && !utf8.ValidString(body) {
		err = fault.New(fault.Invalid, "The body is not in UTF-8.")
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
		return "", fault.New(fault.Unsupported, "Send the body as it is, without Content-Encoding.")
	}
	var body strings.Builder
	_, err = io.Copy(&body, http.MaxBytesReader(nil, r.Body, MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return "", fault.Wrap(fault.TooLarge, err, "What you sent is too large: at most %d KB.", MaxBody>>10)
	case err != nil:
		return "", fault.Wrap(fault.Invalid, err, "The body did not arrive whole. Send it again.")
	case r.ContentLength > 0 && int64(body.Len()) != r.ContentLength:
		return "", fault.New(fault.Invalid, "The body did not arrive whole. Send it again.")
	}
	return body.String(), nil
}
