package api

import (
	"context"
	"net/http"
)

// Current is the catalog function where the catalog may change: it gives the feed of the moment, by which a request is answered
// from beginning to end. Its error is for a program that was built with a damaged catalog.
type Current func() (*Handler, error)

func (c Current) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, err := c()
	if err != nil {
		open(w.Header())
		(&failure{status: http.StatusInternalServerError}).write(nil, w, "")
		return
	}
	f.ServeHTTP(w, r)
}

// Invoke answers an API Gateway event.
func (c Current) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	f, err := c()
	if err != nil {
		return nil, err
	}
	return f.Invoke(ctx, payload)
}
