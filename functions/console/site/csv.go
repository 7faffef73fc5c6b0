package site

import (
	"bytes"
	"encoding/csv"
	"io"
	"strings"

	"marketplace/shared/fault"
)

// sheet writes rows of text as CSV that spreadsheets open as text: CRLF (RFC 4180), UTF-8 with a byte order mark, without
// which Excel takes it for another encoding, and no cell that a spreadsheet would take for a formula.
type sheet struct {
	csv  *csv.Writer
	rows int
}

const byteOrderMark = "\uFEFF"

func newSheet(w io.Writer, header ...string) (*sheet, error) {
	if _, err := io.WriteString(w, byteOrderMark); err != nil {
		return nil, err
	}
	t := &sheet{csv: csv.NewWriter(w)}
	t.csv.UseCRLF = true
	return t, t.csv.Write(header)
}

func (t *sheet) add(cells ...string) error {
	for i := range cells {
		cells[i] = harmless(cells[i])
	}
	t.rows++
	return t.csv.Write(cells)
}

func (t *sheet) end() error {
	t.csv.Flush()
	return t.csv.Error()
}

// harmless keeps a spreadsheet from taking a cell for a formula (OWASP, "CSV Injection"): an apostrophe stands before each of
// the signs that begin one, where the cell begins and, since programs that part cells otherwise than we do see cells there as
// well, behind what may part cells. Quotation marks and spaces between are no protection.
func harmless(cell string) string {
	var safe strings.Builder
	begins := true
	for i, r := range cell {
		switch {
		case begins && strings.ContainsRune("=+-@＝＋－＠", r):
			safe.WriteByte('\'')
			begins = false
		case parts(r):
			if i == 0 {
				safe.WriteByte('\'')
			}
			begins = true
		case r != '"' && r != '\'' && r != ' ':
			begins = false
		}
		safe.WriteRune(r)
	}
	return safe.String()
}

// parts reports whether some program takes r for the end of a cell.
func parts(r rune) bool { return strings.ContainsRune(",;|\t\r\n", r) }

// limited keeps what is written, and refuses what goes beyond a number of bytes.
type limited struct {
	kept bytes.Buffer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left < 0 {
		return 0, fault.New(fault.TooLarge, "The export is too large to be sent in one piece. Choose fewer months, and export the others after it.")
	}
	return l.kept.Write(p)
}
