package outbox

import (
	"bytes"
	"compress/flate"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"marketplace/shared/mail"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// letter is the row of a mail as an attempt sent it.
type letter struct {
	Deflated   []byte `json:"deflated"` // the message as JSON (RFC 1951)
	Dictionary string `json:"dictionary"`
}

// dictionaries have what most letters have in common, so that a letter is kept without it. A letter can be read only
// with the dictionary that it was kept with: none is ever changed, and a better one gets the next number.
//
//go:embed dictionary/*.txt
var dictionaries embed.FS

const newestDictionary = "1"

func dictionary(name string) ([]byte, error) {
	return dictionaries.ReadFile("dictionary/" + name + ".txt")
}

// deflaters are kept, since a new one is 800 kB.
var deflaters = sync.Pool{New: func() any {
	common, err := dictionary(newestDictionary)
	if err != nil {
		panic("store: " + err.Error()) // it is embedded
	}
	w, _ := flate.NewWriterDict(nil, flate.BestCompression, common)
	return w
}}

// maxLetter bounds what Letter inflates, in bytes.
const maxLetter = 4 << 20

// message is a mail.Message as it is kept. An attachment that is text is kept as text, so that what the letter says
// too, such as a license key, is compressed with it.
type message struct {
	mail.Message
	Texts map[string]string `json:"texts,omitempty"` // of attachments, by their places
}

func keep(m mail.Message) message {
	kept := message{m, map[string]string{}}
	kept.Attachments = slices.Clone(m.Attachments)
	for i, a := range m.Attachments {
		if len(a.Data) > 0 && utf8.Valid(a.Data) {
			kept.Texts[strconv.Itoa(i)], kept.Attachments[i].Data = string(a.Data), nil
		}
	}
	return kept
}

func (m message) whole() mail.Message {
	for i := range m.Attachments {
		if text, ok := m.Texts[strconv.Itoa(i)]; ok {
			m.Attachments[i].Data = []byte(text)
		}
	}
	return m.Message
}

func letterRow(m mail.Message, attempt int, expires time.Time) (table.Row, error) {
	var deflated bytes.Buffer
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	w.Reset(&deflated)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if err := e.Encode(keep(m)); err != nil {
		return table.Row{}, fmt.Errorf("store: keeping the letter of mail %s: %w", m.ID, err)
	}
	w.Close()
	row := entity.Encode(rowkey.Letter(m.ID, attempt), rowkey.TypeLetter, letter{deflated.Bytes(), newestDictionary})
	row.Expires = expires
	return row, nil
}

// KeptLetter is a letter as it is kept.
type KeptLetter struct {
	mail.Message
	row table.Row
}

// Letters reads all letters of a mail, the oldest first.
func (b *Box) Letters(ctx context.Context, id string) (list []KeptLetter, err error) {
	err = b.table.Each(ctx, table.Query{PK: rowkey.Letter(id, 1).PK}, func(row table.Row) error {
		kept, err := entity.Decode[letter](row)
		if err != nil {
			return err
		}
		m, err := kept.inflate()
		list = append(list, KeptLetter{m, row})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: letters of mail %s: %w", id, err)
	}
	return list, nil
}

// ReplaceIn puts another message in the place of a letter, as a part of a change, which the caller commits.
func (l KeptLetter) ReplaceIn(c *entity.Changeset, m mail.Message) error {
	row, err := letterRow(m, 0, time.Time{})
	if err != nil {
		return err
	}
	row.Key, row.Expires = l.row.Key, l.row.Expires
	c.Update(row, l.row.Version)
	return nil
}

// Letter reads a mail as an attempt sent it; a NotFound fault if there is none (any more).
func (b *Box) Letter(ctx context.Context, id string, attempt int) (mail.Message, error) {
	var kept letter
	if _, err := b.table.Get(ctx, rowkey.Letter(id, attempt), &kept); err != nil {
		return mail.Message{}, entity.Missing(err, "The text of email %s is not kept (any more).", id)
	}
	m, err := kept.inflate()
	if err != nil {
		return mail.Message{}, fmt.Errorf("store: reading the letter of mail %s: %w", id, err)
	}
	return m, nil
}

func (l letter) inflate() (mail.Message, error) {
	var m message
	common, err := dictionary(l.Dictionary)
	if err == nil {
		inflated := flate.NewReaderDict(bytes.NewReader(l.Deflated), common)
		err = json.NewDecoder(io.LimitReader(inflated, maxLetter)).Decode(&m)
	}
	return m.whole(), err
}
