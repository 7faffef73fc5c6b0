// Package outboxdir is the mail.Sender for local use: it writes each message to a file ID.eml in a folder, which any
// mail program opens. List and Read serve the local outbox page.
package outboxdir

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	netmail "net/mail"
	"os"
	"slices"
	"strings"
	"time"

	"marketplace/shared/atomicfile"
	"marketplace/shared/fault"
	"marketplace/shared/mail"
	"marketplace/shared/mail/eml"
)

// Dir is the folder. Several goroutines and processes may use it at once.
type Dir struct {
	root *os.Root
	from mail.Address
	now  func() time.Time
}

var _ mail.Sender = (*Dir)(nil)

// Headers that a file has before those of the message.
const (
	headerID    = "X-Outbox-Id"
	headerKind  = "X-Outbox-Kind"
	headerAbout = "X-Outbox-About"
)

const suffix = ".eml"

// Open opens the folder and creates it if necessary. from is the sender of every message.
func Open(path string, from mail.Address, now func() time.Time) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("outboxdir: creating the folder: %w", err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("outboxdir: opening the folder: %w", err)
	}
	return &Dir{root, from, now}, nil
}

// Close closes the folder.
func (d *Dir) Close() error { return d.root.Close() }

// Send implements mail.Sender: when it returns, the whole message is on disk. A message with the same ID replaces the
// one before. The returned ID is the name of the file.
func (d *Dir) Send(_ context.Context, m mail.Message) (id string, err error) {
	body, err := eml.Format(m, d.from, d.now()) // also checks the ID
	if err != nil {
		return "", fmt.Errorf("outboxdir: %w", err)
	}
	var file bytes.Buffer
	for _, h := range [][2]string{{headerID, m.ID}, {headerKind, string(m.Kind)}, {headerAbout, m.About}} {
		fmt.Fprintf(&file, "%s: %s\r\n", h[0], mime.QEncoding.Encode("utf-8", h[1]))
	}
	file.Write(body)
	if err := atomicfile.WriteIn(d.root, m.ID+suffix, file.Bytes(), 0o600); err != nil {
		return "", fmt.Errorf("outboxdir: mail %s: %w", m.ID, err)
	}
	return m.ID + suffix, nil
}

// Quota implements mail.Sender: a folder has no limits.
func (*Dir) Quota(context.Context) (mail.Quota, error) { return mail.Quota{}, nil }

// Item summarizes a message of the folder.
type Item struct {
	ID      string    `json:"id"`
	Kind    mail.Kind `json:"kind"`
	To      string    `json:"to"` // the address alone, as in the header
	Subject string    `json:"subject"`
	At      time.Time `json:"at"`    // when it was sent, in UTC, to the second
	About   string    `json:"about"` // the ID of the request or license
}

// List returns every message, newest first. It skips files that Send did not write.
func (d *Dir) List() ([]Item, error) {
	files, err := fs.ReadDir(d.root.FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("outboxdir: reading the folder: %w", err)
	}
	items := []Item{}
	for _, file := range files {
		id, ok := strings.CutSuffix(file.Name(), suffix)
		if !ok || !eml.ValidID(id) || !file.Type().IsRegular() {
			continue
		}
		item, err := d.item(id)
		if errors.Is(err, errForeign) || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	slices.SortFunc(items, func(a, b Item) int {
		return cmp.Or(b.At.Compare(a.At), strings.Compare(b.ID, a.ID))
	})
	return items, nil
}

// errForeign reports a file that Send did not write.
var errForeign = errors.New("outboxdir: not a file of the outbox")

// item reads the headers of a file.
func (d *Dir) item(id string) (Item, error) {
	f, err := d.root.Open(id + suffix)
	if err != nil {
		return Item{}, fmt.Errorf("outboxdir: opening mail %s: %w", id, err)
	}
	defer f.Close()
	msg, err := netmail.ReadMessage(f)
	if err != nil || msg.Header.Get(headerID) != id {
		return Item{}, errForeign
	}
	item := Item{
		ID: id, Kind: mail.Kind(decoded(msg.Header, headerKind)), About: decoded(msg.Header, headerAbout),
		Subject: decoded(msg.Header, "Subject"),
	}
	if to, err := msg.Header.AddressList("To"); err == nil {
		item.To = to[0].Address
	}
	if at, err := msg.Header.Date(); err == nil {
		item.At = at.UTC()
	}
	return item, nil
}

// decoded returns the text of a header.
func decoded(h netmail.Header, name string) string {
	text, err := new(mime.WordDecoder).DecodeHeader(h.Get(name))
	if err != nil {
		return h.Get(name)
	}
	return text
}

// Read returns a whole message as its recipient gets it; an unknown ID is a NotFound fault.
func (d *Dir) Read(id string) (eml.Parsed, error) {
	if !eml.ValidID(id) {
		return eml.Parsed{}, fault.New(fault.NotFound, "There is no such mail.")
	}
	f, err := d.root.Open(id + suffix)
	if errors.Is(err, fs.ErrNotExist) {
		return eml.Parsed{}, fault.New(fault.NotFound, "There is no mail %s.", id)
	}
	if err != nil {
		return eml.Parsed{}, fmt.Errorf("outboxdir: opening mail %s: %w", id, err)
	}
	defer f.Close()
	m, err := eml.Parse(f)
	if err != nil {
		return eml.Parsed{}, fmt.Errorf("outboxdir: reading mail %s: %w", id, err)
	}
	m.ID, m.Kind, m.About = id, mail.Kind(decoded(m.Header, headerKind)), decoded(m.Header, headerAbout)
	return m, nil
}
