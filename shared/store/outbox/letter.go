package outbox

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"marketplace/shared/mail"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// lettersKept is for how many months the letters of sent mails are kept.
const lettersKept = 13

// letter is the row of a mail as an attempt sent it.
type letter struct {
	Deflated []byte `json:"deflated"` // the mail.Message as JSON (RFC 1951)
}

// maxLetter bounds what Letter inflates, in bytes.
const maxLetter = 4 << 20

func letterRow(m mail.Message, attempt int, now time.Time) (table.Row, error) {
	var deflated bytes.Buffer
	w, _ := flate.NewWriter(&deflated, flate.BestCompression)
	if err := json.NewEncoder(w).Encode(m); err != nil {
		return table.Row{}, fmt.Errorf("store: keeping the letter of mail %s: %w", m.ID, err)
	}
	w.Close()
	row := entity.Encode(rowkey.Letter(m.ID, attempt), rowkey.TypeLetter, letter{deflated.Bytes()})
	row.Expires = now.AddDate(0, lettersKept, 0)
	return row, nil
}

// Letter reads a mail as an attempt sent it; a NotFound fault if there is none (any more).
func (b *Box) Letter(ctx context.Context, id string, attempt int) (m mail.Message, err error) {
	var kept letter
	if _, err := b.table.Get(ctx, rowkey.Letter(id, attempt), &kept); err != nil {
		return mail.Message{}, entity.Missing(err, "The text of email %s is not kept (any more).", id)
	}
	err = json.NewDecoder(io.LimitReader(flate.NewReader(bytes.NewReader(kept.Deflated)), maxLetter)).Decode(&m)
	if err != nil {
		return mail.Message{}, fmt.Errorf("store: reading the letter of mail %s: %w", id, err)
	}
	return m, nil
}
