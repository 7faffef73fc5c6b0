package api

import (
	"context"
	"net/http"
)

// Live is the catalog function while its catalog may change: it returns the handler of the moment, which answers a
// request from beginning to end. Its error is for a program that was built with a damaged catalog.
type Live func() (*Handler, error)

func (l Live) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h, err := l()
	if err != nil {
		allowAnyOrigin(w.Header())
		(&failure{status: http.StatusInternalServerError}).write(nil, w, "")
		return
	}
	h.ServeHTTP(w, r)
}

// Invoke answers an API Gateway event.
func (l Live) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	h, err := l()
	if err != nil {
		return nil, err
	}
	return h.Invoke(ctx, payload)
}
