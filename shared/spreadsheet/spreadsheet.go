// Package spreadsheet writes CSV files that spreadsheets open as text: CRLF (RFC 4180), UTF-8 with a byte order mark
// (without it Excel assumes another encoding), and no cell that a spreadsheet would run as a formula.
package spreadsheet

import (
	"encoding/csv"
	"io"
	"strings"
)

// Writer writes rows. The error of the first write that fails is that of Flush.
type Writer struct {
	csv *csv.Writer
	err error
}

// ByteOrderMark begins each file.
const ByteOrderMark = "\uFEFF"

// NewWriter returns a Writer that has written the names of the columns.
func NewWriter(w io.Writer, columns ...string) *Writer {
	t := &Writer{csv: csv.NewWriter(w)}
	t.csv.UseCRLF = true
	if _, t.err = io.WriteString(w, ByteOrderMark); t.err == nil {
		t.err = t.csv.Write(columns)
	}
	return t
}

// Add adds a row.
func (t *Writer) Add(cells ...string) error {
	for i := range cells {
		cells[i] = EscapeFormulas(cells[i])
	}
	if t.err == nil {
		t.err = t.csv.Write(cells)
	}
	return t.err
}

// Flush writes what is left.
func (t *Writer) Flush() error {
	if t.csv.Flush(); t.err == nil {
		t.err = t.csv.Error()
	}
	return t.err
}

// EscapeFormulas prevents a spreadsheet from running a cell as a formula (OWASP, "CSV Injection"). It prefixes each
// sign that begins a formula with an apostrophe: at the start of the cell, and after characters that other programs
// take for the end of a cell. Quotation marks and spaces before the sign do not help.
func EscapeFormulas(cell string) string {
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
