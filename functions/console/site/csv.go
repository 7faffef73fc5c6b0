package site

import (
	"bytes"
	"encoding/csv"
	"io"
	"strings"

	"marketplace/shared/fault"
)

// csvWriter writes rows as CSV that spreadsheets open as text: CRLF (RFC 4180), UTF-8 with a byte order mark (without
// it Excel assumes another encoding), and no cell that a spreadsheet would run as a formula.
type csvWriter struct {
	csv  *csv.Writer
	rows int
}

const byteOrderMark = "\uFEFF"

func newCSVWriter(w io.Writer, header ...string) (*csvWriter, error) {
	if _, err := io.WriteString(w, byteOrderMark); err != nil {
		return nil, err
	}
	t := &csvWriter{csv: csv.NewWriter(w)}
	t.csv.UseCRLF = true
	return t, t.csv.Write(header)
}

func (t *csvWriter) add(cells ...string) error {
	for i := range cells {
		cells[i] = escapeFormulas(cells[i])
	}
	t.rows++
	return t.csv.Write(cells)
}

func (t *csvWriter) end() error {
	t.csv.Flush()
	return t.csv.Error()
}

// escapeFormulas prevents a spreadsheet from running a cell as a formula (OWASP, "CSV Injection"). It prefixes each
// sign that begins a formula with an apostrophe: at the start of the cell, and after characters that other programs
// take for the end of a cell. Quotation marks and spaces before the sign do not help.
func escapeFormulas(cell string) string {
	var safe strings.Builder
	begins := true
	for i, r := range cell {
		switch {
		case begins && strings.ContainsRune("=+-@＝＋－＠", r):
			safe.WriteByte('\'')
			begins = false
		case separatesCells(r):
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

// separatesCells reports whether some program takes r for the end of a cell.
func separatesCells(r rune) bool { return strings.ContainsRune(",;|\t\r\n", r) }

// limitedBuffer keeps what is written, up to a number of bytes.
type limitedBuffer struct {
	kept bytes.Buffer
	left int
}

func (l *limitedBuffer) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left < 0 {
		return 0, fault.New(fault.TooLarge,
			"This export is too large to send at once. Choose fewer months and export the rest separately.")
	}
	return l.kept.Write(p)
}
