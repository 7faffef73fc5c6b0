package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"marketplace/functions/console/signin"
	"marketplace/infra/local/devidp"
	"marketplace/infra/localdata"
	"marketplace/infra/runtimeapi"
	"marketplace/infra/sesfront"
	"marketplace/infra/stack"
)

// Options are what a Server needs. All fields but Parameters are required.
type Options struct {
	Addr       string            // to listen on; port 0 selects a free one
	Template   stack.Template    // template.yaml
	Bootstraps string            // the folder of the built functions: CatalogFunction/bootstrap
	DynamoDB   string            // the address of a DynamoDB engine with streams
	AWS        string            // the address of moto
	Stack      string            // the stack's name, which begins the names of what is made in the engines
	Parameters map[string]string // of the template, beside those that are about this machine
	Behave     func(sesfront.Call) sesfront.Behaviour
	Now        func() time.Time
	Log        *slog.Logger
}

// Server is the stack on this machine.
type Server struct {
	URL string // the address of the site: http://localhost:8080

	deployment
	options  Options
	values   values
	clock    *localdata.Clock
	mail     *sesfront.Front
	cloud    *cloud
	pools    map[string]*pool // by the function's logical ID
	streams  map[string]*stream
	people   http.Handler // the sign-in provider
	invoke   func(ctx context.Context, function string, event []byte) ([]byte, error)
	http     http.Server
	requests atomic.Int64 // counts them, for their IDs
	folder   string
	work     sync.Mutex // held while events are handed to functions
	finished sync.WaitGroup
}

// Start makes what the template has in the engines and serves its API. Functions start at their first event. What has
// to happen by itself happens in Settle; run calls it.
func Start(ctx context.Context, o Options) (_ *Server, err error) {
	ln, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, fmt.Errorf("%w; try another PORT", err)
	}
	s := &Server{URL: fmt.Sprintf("http://localhost:%d", ln.Addr().(*net.TCPAddr).Port), options: o,
		pools: map[string]*pool{}, streams: map[string]*stream{}}
	defer func() {
		if err != nil {
			ln.Close()
			s.Close()
		}
	}()
	if s.folder, err = os.MkdirTemp("", "run-lambda"); err != nil {
		return nil, err
	}
	if s.clock, err = localdata.Dir(s.folder).OpenClock(o.Now); err != nil {
		return nil, err
	}
	if err := s.make(ctx); err != nil {
		return nil, err
	}
	s.http = http.Server{Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn)}
	s.finished.Go(func() { _ = s.http.Serve(ln) })
	return s, nil
}

// make reads the template and makes its table, secrets and bucket in the engines.
func (s *Server) make(ctx context.Context) error {
	o, issuer := s.options, s.URL+devidp.Path
	v := values{template: o.Template, stack: o.Stack, secrets: map[string]string{}, parameters: map[string]string{
		"Stage": "local", "SiteUrl": s.URL, "PackagesUrl": s.URL + packagesPath, "OidcIssuer": issuer,
		"OidcClientId": "console", "MailIdentity": "vendor.example", "SalesEmail": "sales@vendor.example",
	}}
	for name, value := range o.Parameters {
		v.parameters[name] = value
	}
	signing, err := newKeys(v)
	if err != nil {
		return err
	}
	if v.parameters["LicenseKeys"], err = signing.public(v); err != nil {
		return err
	}
	if err := v.checkParameters(); err != nil {
		return err
	}
	if err := makeSecrets(ctx, v, o.AWS); err != nil {
		return err
	}
	s.values = v
	if s.deployment, err = read(v, s.clock.Now()); err != nil {
		return err
	}
	if err := makeBuckets(ctx, v, o.AWS); err != nil {
		return err
	}
	arns, err := makeTables(ctx, v, o.DynamoDB)
	if err != nil {
		return err
	}
	for _, source := range s.deployment.streams {
		if s.streams[source.table], err = openStream(ctx, o.DynamoDB, arns[source.table]); err != nil {
			return fmt.Errorf("the stream of %s: %w", source.table, err)
		}
	}
	s.mail = sesfront.New(sesfront.Options{Now: s.clock.Now, Behave: s.behave, Publish: s.publish})
	// The console judges tokens by its own clock.
	s.people, err = devidp.New(devidp.Options{
		Issuer: issuer, ClientID: v.parameters["OidcClientId"], RedirectURI: s.URL + signin.CallbackPath,
		SignedOutURI: s.URL + signin.SignedOutPath, People: devidp.SamplePeople(), Now: time.Now, Log: o.Log,
	})
	if err != nil {
		return err
	}
	return s.serveAWS(signing)
}

// serveAWS starts what stands in for AWS, and prepares the functions.
func (s *Server) serveAWS(signing keys) error {
	dynamodb, err := forward(s.options.DynamoDB)
	if err != nil {
		return err
	}
	moto, err := forward(s.options.AWS)
	if err != nil {
		return err
	}
	s.cloud, err = newCloud(s.folder, map[string]http.Handler{
		"dynamodb": dynamodb, "s3": moto, "secretsmanager": moto, "kms": signing, "email": s.mail.Handler(),
	}, s.options.Log)
	if err != nil {
		return err
	}
	s.invoke = func(ctx context.Context, function string, event []byte) ([]byte, error) {
		return s.pools[function].invoke(ctx, event)
	}
	running := make(chan struct{}, concurrency)
	for id, f := range s.functions {
		s.pools[id] = &pool{running: running, options: runtimeapi.Options{
			Bootstrap: filepath.Join(s.options.Bootstraps, id, "bootstrap"), Timeout: f.timeout,
			Env: append([]string{
				"AWS_REGION=" + region, "AWS_DEFAULT_REGION=" + region, "HTTPS_PROXY=" + s.cloud.url,
				"SSL_CERT_FILE=" + s.cloud.roots, "AWS_LAMBDA_FUNCTION_NAME=" + s.options.Stack + "-" + id,
				"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + f.memory,
			}, f.env...),
		}}
	}
	return nil
}

// Close ends everything. What was made in the engines stays.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := s.http.Shutdown(ctx)
	s.finished.Wait()
	for _, p := range s.pools {
		p.close()
	}
	if s.cloud != nil {
		s.cloud.close()
	}
	return errors.Join(err, os.RemoveAll(s.folder))
}
