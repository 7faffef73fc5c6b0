package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"marketplace/infra/local/devidp"
	"marketplace/infra/runtimeapi"
	"marketplace/shared/lambdahttp/lambdahttptest"
)

// packagesPath stands in for the distribution in front of the packages bucket.
const packagesPath = "/_local/packages"

// handler serves the API and, below /_local, what is beside the stack.
func (s *Server) handler() http.Handler {
	pages := s.pages()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		switch {
		case err != nil || host != "localhost" && !net.ParseIP(host).IsLoopback():
			http.Error(w, "only this machine is served", http.StatusMisdirectedRequest)
		case strings.HasPrefix(r.URL.Path, devidp.Path+"/"):
			s.people.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, packagesPath+"/"):
			s.servePackage(w, r)
		case strings.HasPrefix(r.URL.Path, "/_local/"):
			pages.ServeHTTP(w, r)
		default:
			s.serveAPI(w, r)
		}
	})
}

// serveAPI answers a request as API Gateway does: the route decides on the throttle and the function.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	route, ok := s.route(r.Method, r.URL.Path)
	switch {
	case !ok:
		say(w, http.StatusNotFound, "Not Found")
		return
	case !route.limit.take(s.options.Now()):
		say(w, http.StatusTooManyRequests, "Too Many Requests")
		return
	}
	event, err := s.httpEvent(r, route.key)
	if err != nil {
		say(w, http.StatusBadRequest, "Bad Request")
		return
	}
	answer, err := s.invoke(r.Context(), route.function, event)
	var resp *http.Response
	if err == nil {
		resp, err = lambdahttptest.Response(answer)
	}
	if err != nil {
		s.options.Log.Error("a request failed", "route", route.key, "function", route.function, "err", err)
		if errors.Is(err, runtimeapi.ErrTimeout) {
			say(w, http.StatusServiceUnavailable, "Service Unavailable")
		} else {
			say(w, http.StatusInternalServerError, "Internal Server Error")
		}
		return
	}
	defer resp.Body.Close()
	for name, values := range resp.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body)
}

// route finds the route that matches a request most exactly.
func (s *Server) route(method, path string) (best route, found bool) {
	rank := ""
	for _, r := range s.routes {
		if got, ok := r.match(method, path); ok && (!found || got > rank) {
			best, rank, found = r, got, true
		}
	}
	return best, found
}

// httpEvent is the event of a request, with what differs from request to request.
func (s *Server) httpEvent(r *http.Request, key string) ([]byte, error) {
	event, err := runtimeapi.HTTP(r)
	if err != nil {
		return nil, err
	}
	var v map[string]any
	if err := json.Unmarshal(event, &v); err != nil {
		return nil, err
	}
	v["routeKey"] = key
	if headers, ok := v["headers"].(map[string]any); ok {
		headers["x-forwarded-proto"] = "http" // the site's address on this machine
	}
	now := s.options.Now()
	if about, ok := v["requestContext"].(map[string]any); ok {
		about["routeKey"], about["requestId"] = key, fmt.Sprintf("%014x=", s.requests.Add(1))
		about["time"], about["timeEpoch"] = now.UTC().Format("02/Jan/2006:15:04:05 -0700"), now.UnixMilli()
	}
	return json.Marshal(v)
}

// say answers as API Gateway does by itself.
func say(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
}

// servePackage serves an object of the packages bucket to any origin, as the distribution does.
func (s *Server) servePackage(w http.ResponseWriter, r *http.Request) {
	bucket, err := s.values.resource("PackagesBucket", "")
	key := strings.TrimPrefix(r.URL.Path, packagesPath)
	if err != nil || r.Method != http.MethodGet && r.Method != http.MethodHead || strings.HasPrefix(key, "/jars/") {
		http.Error(w, "not served", http.StatusForbidden)
		return
	}
	ask, err := http.NewRequestWithContext(r.Context(), r.Method, s.options.AWS+"/"+bucket+key, nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for _, name := range []string{"Range", "If-None-Match", "If-Modified-Since", "If-Range"} {
		if value := r.Header.Get(name); value != "" {
			ask.Header.Set(name, value)
		}
	}
	sign(ask, "s3")
	resp, err := http.DefaultClient.Do(ask)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	for name, values := range resp.Header {
		w.Header()[name] = values
	}
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body)
}
