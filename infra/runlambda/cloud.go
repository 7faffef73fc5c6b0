package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// cloud stands in for the addresses of AWS. The functions reach it as an HTTPS proxy, so that they call the same
// addresses as on AWS and need no variable that the template does not set; its certificates are from an authority that
// only they trust.
type cloud struct {
	services map[string]http.Handler // by the first label of a host below amazonaws.com; a bucket's host is under "s3"
	log      *slog.Logger

	url   string
	roots string // the file with the authority's certificate
	ca    tls.Certificate

	listener net.Listener
	servers  []*http.Server
	inside   *insideListener
	mu       sync.Mutex
	leaves   map[string]*tls.Certificate
}

// newCloud starts the proxy. The folder gets the certificate.
func newCloud(folder string, services map[string]http.Handler, log *slog.Logger) (*cloud, error) {
	c := &cloud{services: services, log: log, leaves: map[string]*tls.Certificate{},
		inside: &insideListener{conns: make(chan net.Conn), closed: make(chan struct{})}}
	var err error
	if c.ca, err = certificate("run-lambda", nil); err != nil {
		return nil, err
	}
	c.roots = filepath.Join(folder, "roots.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.ca.Certificate[0]})
	if err := os.WriteFile(c.roots, text, 0o600); err != nil {
		return nil, err
	}
	if c.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	c.url = "http://" + c.listener.Addr().String()
	quiet := slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	proxy := &http.Server{Handler: http.HandlerFunc(c.connect), ReadHeaderTimeout: time.Minute, ErrorLog: quiet}
	inside := &http.Server{Handler: http.HandlerFunc(c.serve), ReadHeaderTimeout: time.Minute, ErrorLog: quiet}
	c.servers = []*http.Server{proxy, inside}
	go proxy.Serve(c.listener)
	go inside.Serve(c.inside)
	return c, nil
}

func (c *cloud) close() {
	for _, s := range c.servers {
		s.Close()
	}
}

// connect answers CONNECT: it speaks TLS as the host that is asked for.
func (c *cloud) connect(w http.ResponseWriter, r *http.Request) {
	host, _, err := net.SplitHostPort(r.Host)
	if r.Method != http.MethodConnect || err != nil || c.service(host) == nil {
		c.log.Error("a function called an address that nothing stands in for", "host", r.Host)
		http.Error(w, "nothing stands in for "+r.Host, http.StatusBadGateway)
		return
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		conn.Close()
		return
	}
	c.inside.hand(tls.Server(conn, &tls.Config{
		NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.leaf(host)
		},
	}))
}

// serve answers a call inside the tunnel.
func (c *cloud) serve(w http.ResponseWriter, r *http.Request) {
	if s := c.service(r.Host); s != nil {
		s.ServeHTTP(w, r)
		return
	}
	http.Error(w, "nothing stands in for "+r.Host, http.StatusBadGateway)
}

// service returns what stands in for a host: SERVICE.REGION.amazonaws.com or BUCKET.s3.REGION.amazonaws.com.
func (c *cloud) service(host string) http.Handler {
	name, ok := strings.CutSuffix(host, "."+region+".amazonaws.com")
	if !ok {
		return nil
	}
	return c.services[name[strings.LastIndex(name, ".")+1:]]
}

func (c *cloud) leaf(host string) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.leaves[host]; known != nil {
		return known, nil
	}
	made, err := certificate(host, &c.ca)
	if err == nil {
		c.leaves[host] = &made
	}
	return &made, err
}

// certificate makes a key and a certificate for a host, signed by the authority; without one it makes an authority.
func certificate(host string, by *tls.Certificate) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		BasicConstraintsValid: true,
	}
	parent, signer := template, key
	if by == nil {
		template.IsCA, template.KeyUsage = true, x509.KeyUsageCertSign
	} else {
		template.DNSNames = []string{host}
		if parent, err = x509.ParseCertificate(by.Certificate[0]); err != nil {
			return tls.Certificate{}, err
		}
		signer = by.PrivateKey.(*ecdsa.PrivateKey)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// insideListener hands the connections of tunnels to a server.
type insideListener struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *insideListener) hand(c net.Conn) {
	select {
	case l.conns <- c:
	case <-l.closed:
		c.Close()
	}
}

// Accept implements net.Listener.
func (l *insideListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *insideListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr implements net.Listener.
func (l *insideListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// forward passes calls on to an engine as they are, with the host that they were for.
func forward(endpoint string) (http.Handler, error) {
	target, err := url.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}}, nil
}

// call sends a call of an AWS protocol in JSON to an engine, which accepts any signature.
func call(ctx context.Context, endpoint, service, target string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	version := "1.0"
	if service == "secretsmanager" {
		version = "1.1"
	}
	r.Header.Set("Content-Type", "application/x-amz-json-"+version)
	r.Header.Set("X-Amz-Target", target)
	sign(r, service)
	answer, err := send(r)
	if err != nil {
		return fmt.Errorf("%s: %w", target, err)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

// sign adds a header of the form that AWS's have. Engines read the access key and the region from it.
func sign(r *http.Request, service string) {
	r.Header.Set("X-Amz-Date", "20180226T093000Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20180226/"+region+"/"+service+
		"/aws4_request, SignedHeaders=host, Signature=0")
}

func send(r *http.Request) ([]byte, error) {
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(bufio.NewReader(resp.Body))
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s: %.300s", resp.Status, body)
	}
	return body, err
}
