package web

import (
	"context"
	"net/http"
)

// visit is what the handlers of a request found out about it that the page of an error shows as well.
type visit struct{ visitor *Visitor }

type visitKey struct{}

func withVisit(r *http.Request) (*http.Request, *visit) {
	v := new(visit)
	return r.WithContext(context.WithValue(r.Context(), visitKey{}, v)), v
}

// Welcome notes who makes the request of the context, so that the page of an error knows it too.
func Welcome(ctx context.Context, who *Visitor) {
	if v, ok := ctx.Value(visitKey{}).(*visit); ok {
		v.visitor = who
	}
}
