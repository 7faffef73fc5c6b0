// Package localdata is the folder in which the local server keeps everything, as the server and the operator's tool
// both know it.
package localdata

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"marketplace/functions/console/signin"
	"marketplace/shared/cloud"
	"marketplace/shared/config"
	"marketplace/shared/table"
	"marketplace/shared/table/bolt"
)

// Dir is the folder. Its zero value will not do.
type Dir string

// FromEnv is the folder that DATA names, else .local.
func FromEnv(getenv func(string) string) Dir {
	if d := getenv("DATA"); d != "" {
		return Dir(d)
	}
	return ".local"
}

func (d Dir) path(name string) string { return filepath.Join(string(d), name) }

// Packages is the folder of the package ZIPs, Tailored that of the ones made for a customer, Jars that of the jars that
// they are made of, Outbox that of the mails.
func (d Dir) Packages() string { return d.path("packages") }
func (d Dir) Tailored() string { return d.path("tailored") }
func (d Dir) Jars() string     { return d.path("jars") }
func (d Dir) Outbox() string   { return d.path("outbox") }

// OpenTable opens the table in the folder, or, where DYNAMODB_ENDPOINT is set, the one on that engine, made if it is
// missing. The table in the folder belongs to one process at a time.
func (d Dir) OpenTable(ctx context.Context, c config.Config) (t table.Table, close func() error, err error) {
	if c.DynamoDBEndpoint != "" {
		t, err := cloud.LocalTable(ctx, c)
		return t, func() error { return nil }, err
	}
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return nil, nil, err
	}
	b, err := bolt.Open(d.path("table.db"))
	if err != nil {
		return nil, nil, err
	}
	return b, b.Close, nil
}

// announcement is the content of server.json.
type announcement struct {
	URL string `json:"url"`
}

// Announce writes down where the running server answers, until Withdraw.
func (d Dir) Announce(url string) error {
	data, err := json.Marshal(announcement{url})
	if err != nil {
		return err
	}
	return WriteFile(d.path("server.json"), data, 0o600)
}

// Withdraw takes the announcement back.
func (d Dir) Withdraw() error { return os.Remove(d.path("server.json")) }

// Server is where the server that works in this folder answers; "" where none does. A server that was killed leaves its
// announcement behind, so it is asked.
func (d Dir) Server(ctx context.Context) string {
	var a announcement
	data, err := os.ReadFile(d.path("server.json"))
	if err != nil || json.Unmarshal(data, &a) != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL+"/_local/clock", nil)
	if err != nil {
		return ""
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return ""
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return ""
	}
	return a.URL
}

// SessionKeys are the keys of the console's cookies, made when they are missing: who is signed in stays so over a
// restart.
func (d Dir) SessionKeys() (signin.Keys, error) {
	path := d.path("session.key")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text = []byte(signin.NewKey())
		err = WriteFile(path, text, 0o600)
	}
	if err != nil {
		return signin.Keys{}, err
	}
	return signin.ParseKeys(string(text))
}

// WriteFile replaces a file as a whole: whoever reads it, after a power failure too, sees the old content or the new.
func WriteFile(path string, data []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}
