package outboxdir

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"marketplace/shared/fault"
	"marketplace/shared/mail"
)

var noon = time.Date(2018, 2, 26, 12, 0, 0, 0, time.UTC)

func message(id string) mail.Message {
	return mail.Message{
		ID: id, Kind: mail.RequestReceived, About: "01c6x2m4",
		To: mail.Address{Name: "Zoë", Email: "zoe@example.org"}, ReplyTo: mail.Address{Email: "sales@example.com"},
		Subject: "Grüße", Text: "Hello,\nZoë\n", HTML: "<p>Hello,\n<p>Zoë\n",
		Attachments: []mail.Attachment{{
			Name: "license.txt", ContentType: "text/plain; charset=us-ascii", Data: []byte("Rm9ybWF0PTE="),
		}},
	}
}

// open opens a folder whose clock advances by a second with each message.
func open(t *testing.T) (*Dir, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data", "outbox")
	var mu sync.Mutex
	at := noon
	d, err := Open(path, mail.Address{Name: "Licenses", Email: "licenses@example.com"}, func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		at = at.Add(time.Second)
		return at
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d, path
}

func send(t *testing.T, d *Dir, m mail.Message) {
	t.Helper()
	if _, err := d.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

func TestSentMessagesAreListedAndRead(t *testing.T) {
	d, _ := open(t)
	if items, err := d.List(); err != nil || len(items) != 0 || items == nil {
		t.Fatalf("empty outbox: got %#v, %v", items, err)
	}
	send(t, d, message("m1"))
	send(t, d, message("m2"))
	items, err := d.List()
	if err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal(items)
	want := `[{"id":"m2","kind":"request-received","to":"zoe@example.org","subject":"Grüße",` +
		`"at":"2018-02-26T12:00:02Z","about":"01c6x2m4"},` +
		`{"id":"m1","kind":"request-received","to":"zoe@example.org","subject":"Grüße",` +
		`"at":"2018-02-26T12:00:01Z","about":"01c6x2m4"}]`
	if string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	m, err := d.Read("m1")
	if err != nil || !reflect.DeepEqual(m.Message, message("m1")) {
		t.Errorf("got %#v, %v", m.Message, err)
	}
}

func TestMailsOfTheSameSecondAreListedByID(t *testing.T) {
	d, err := Open(t.TempDir(), mail.Address{Email: "licenses@example.com"}, func() time.Time { return noon })
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, id := range []string{"m2", "m1", "m3"} {
		send(t, d, message(id))
	}
	items, err := d.List()
	if err != nil || len(items) != 3 || items[0].ID != "m3" || items[1].ID != "m2" || items[2].ID != "m1" {
		t.Errorf("%v, %v", items, err)
	}
}

func TestRepeatedMessageReplacesTheFirst(t *testing.T) {
	d, path := open(t)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { send(t, d, message("m1")) })
	}
	wg.Wait()
	items, err := d.List()
	if err != nil || len(items) != 1 {
		t.Errorf("%v, %v", items, err)
	}
	if files, _ := os.ReadDir(path); len(files) != 1 {
		t.Errorf("files left behind: %v", files)
	}
}

func TestUnfinishedAndForeignFilesAreNotListed(t *testing.T) {
	d, path := open(t)
	send(t, d, message("m1"))
	whole, err := os.ReadFile(filepath.Join(path, "m1.eml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"m2.eml.ABC.part": whole[:len(whole)/2],
		"m3.eml":          []byte("Subject: somebody else's\r\n\r\n"),
		"m4.eml":          whole, // with the ID of another message
		"m5.eml":          nil,
		"notes.txt":       []byte("x"),
		".eml":            whole,
	} {
		if err := os.WriteFile(filepath.Join(path, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	items, err := d.List()
	if err != nil || len(items) != 1 || items[0].ID != "m1" {
		t.Errorf("%v, %v", items, err)
	}
}

func TestNoIDLeavesTheFolder(t *testing.T) {
	d, path := open(t)
	for _, id := range []string{"../x", "..", "a/b", `a\b`, "", ".", "a\x00", "/etc/passwd", "a.b", "é"} {
		if _, err := d.Send(t.Context(), message(id)); !errors.Is(err, mail.ErrRejected) {
			t.Errorf("sending %q: %v", id, err)
		}
		if _, err := d.Read(id); fault.KindOf(err) != fault.NotFound {
			t.Errorf("reading %q: %v", id, err)
		}
	}
	// A link out of the folder is not followed.
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("X-Outbox-Id: m9\r\n\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(path, "m9.eml")); err != nil {
		t.Fatal(err)
	}
	if m, err := d.Read("m9"); err == nil {
		t.Errorf("read %v", m)
	}
	if items, err := d.List(); err != nil || len(items) != 0 {
		t.Errorf("listed %v, %v", items, err)
	}
}

func TestUnknownMailIsNotFound(t *testing.T) {
	d, _ := open(t)
	if _, err := d.Read("m1"); fault.KindOf(err) != fault.NotFound {
		t.Error(err)
	}
}

func TestFailedWriteLeavesNoFile(t *testing.T) {
	d, path := open(t)
	if err := os.Mkdir(filepath.Join(path, "m1.eml"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Send(t.Context(), message("m1")); err == nil || errors.Is(err, mail.ErrRejected) {
		t.Error(err)
	}
	if files, _ := os.ReadDir(path); len(files) != 1 {
		t.Errorf("files left behind: %v", files)
	}
}
