// Package localdata is the data folder of the local server, shared with the operator's tool.
package localdata

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"marketplace/shared/atomicfile"
	"marketplace/shared/cloud"
	"marketplace/shared/config"
	"marketplace/shared/session"
	"marketplace/shared/store/erasure"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
	"marketplace/shared/table/bolt"
)

// Dir is the path of the folder. It must not be empty.
type Dir string

// FromEnv returns the folder that DATA names, or .local.
func FromEnv(getenv func(string) string) Dir {
	if d := getenv("DATA"); d != "" {
		return Dir(d)
	}
	return ".local"
}

func (d Dir) path(name string) string { return filepath.Join(string(d), name) }

// Packages, CustomPackages, Jars and Outbox are the folders of the package ZIPs, of those made for one customer, of the
// jars that both contain, and of the emails.
func (d Dir) Packages() string       { return d.path("packages") }
func (d Dir) CustomPackages() string { return d.path("tailored") }
func (d Dir) Jars() string           { return d.path("jars") }
func (d Dir) Outbox() string         { return d.path("outbox") }

// OpenTable opens the embedded table of the folder, or the table on the engine at DYNAMODB_ENDPOINT, which it creates
// if missing. The embedded table belongs to one process at a time. A table with rows of another form, which an earlier
// or a later version of the program wrote, is an error that says how to begin again.
func (d Dir) OpenTable(ctx context.Context, c config.Config) (t table.Table, close func() error, err error) {
	if c.DynamoDBEndpoint != "" {
		t, err := cloud.LocalTable(ctx, c)
		if err == nil {
			err = checkForm(ctx, t, "at "+c.DynamoDBEndpoint, "delete the table")
		}
		return t, func() error { return nil }, err
	}
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return nil, nil, err
	}
	b, err := bolt.Open(d.path("table.db"))
	if err != nil {
		return nil, nil, err
	}
	if err := checkForm(ctx, b, "in "+string(d), "delete the folder, or set DATA to another one"); err != nil {
		b.Close()
		return nil, nil, err
	}
	return b, b.Close, nil
}

// form is the row that says in which form the rows of a table are, written when the table is new. Its schema grows when
// rows are stored in another form, since nothing migrates the data of a laptop: 3 has customers with contracts and
// instances, 4 requests that wait for their confirmation, 5 reminders of several licenses in one email, and the day of
// the newest one.
var form = table.Row{Key: table.Key{PK: "local", SK: "form"}, Type: "form", Schema: 6, Data: json.RawMessage(`{}`)}

// Marker is the row that the local server writes when it has filled a table. Earlier versions of the program look at
// its schema.
var Marker = table.Row{Key: table.Key{PK: "local", SK: "seeded"}, Type: "seeded", Schema: form.Schema,
	Data: json.RawMessage(`{}`)}

// checkForm refuses a table with rows of another form, and marks an empty one.
func checkForm(ctx context.Context, t table.Table, where, how string) error {
	refused := fmt.Errorf("cannot use the data %s: it is from another version of this program. To begin again, %s",
		where, how)
	marked, err := t.Get(ctx, form.Key)
	if errors.Is(err, table.ErrNotFound) {
		switch older, err := unmarked(ctx, t); {
		case err != nil:
			return err
		case older:
			return refused
		}
		if err := t.Transact(ctx, table.Create(form)); !errors.Is(err, table.ErrConflict) {
			return err
		}
		marked, err = t.Get(ctx, form.Key) // another process was faster
	}
	if err == nil && marked.Schema != form.Schema {
		err = refused
	}
	return err
}

// unmarked reports whether a table without a form has rows: a version of the program that knew no form filled it, as a
// server or by an import, which counted licenses.
func unmarked(ctx context.Context, t table.Table) (bool, error) {
	switch _, err := t.Get(ctx, Marker.Key); {
	case err == nil:
		return true, nil
	case !errors.Is(err, table.ErrNotFound):
		return false, err
	}
	page, err := t.Query(ctx, table.Query{PK: rowkey.StatsPK, Limit: 1})
	return len(page.Rows) > 0, err
}

// RemoveUnfinished removes the files that a killed server left half written. The table, which belongs to one process,
// is open already: nobody else writes them.
func (d Dir) RemoveUnfinished() error {
	for _, folder := range []string{d.Outbox(), d.Packages(), d.CustomPackages(), d.Jars()} {
		if err := atomicfile.RemoveUnfinished(folder); err != nil {
			return fmt.Errorf("removing unfinished files: %w", err)
		}
	}
	return nil
}

// announcement is the content of server.json.
type announcement struct {
	URL string `json:"url"`
}

// Announce records the address of the running server until Withdraw.
func (d Dir) Announce(url string) error {
	data, err := json.Marshal(announcement{url})
	if err != nil {
		return err
	}
	return atomicfile.Write(d.path("server.json"), data, 0o600)
}

// Withdraw removes the announcement.
func (d Dir) Withdraw() error { return os.Remove(d.path("server.json")) }

// Server returns the address of the server that uses the folder, or "". A killed server leaves its announcement behind,
// so Server asks it.
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

// HashKeys returns the key of the hashes of erased people: always the same one, which is no secret.
func HashKeys() (erasure.Keys, error) {
	return erasure.ParseKeys(base64.StdEncoding.EncodeToString([]byte("the local server's key: no secret")[:32]))
}

// SessionKeys returns the keys of the console's cookies. It makes missing keys, so sessions survive a restart.
func (d Dir) SessionKeys() (session.Keys, error) { return d.sessionKeys("session.key") }

// AccountKeys returns the keys of the cookies of customers, likewise.
func (d Dir) AccountKeys() (session.Keys, error) { return d.sessionKeys("account.key") }

func (d Dir) sessionKeys(file string) (session.Keys, error) {
	path := d.path(file)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text = []byte(session.NewKey())
		err = atomicfile.Write(path, text, 0o600)
	}
	if err != nil {
		return session.Keys{}, err
	}
	return session.ParseKeys(string(text))
}
