package licenseimport

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"marketplace/shared/customer"
	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/request"
)

// Header names the columns that every file has, in the order in which they are documented.
var Header = []string{"organization", "contact", "email", "server_id", "edition", "type", "max_loc", "expiration",
	"support"}

// Optional names the columns that a file may have beside them.
var Optional = []string{"customer", "contract", "environment", "mirrors", "contacts", "reference"}

// Refusal is a line of the file that was refused, with the reasons.
type Refusal struct {
	Line    int      `json:"line"` // from 1, which is the header
	Reasons []string `json:"reasons"`
}

func (r Refusal) String() string {
	return fmt.Sprintf("line %d: %s", r.Line, strings.Join(r.Reasons, " "))
}

// Note is a line of the file that was accepted and that somebody should look at.
type Note struct {
	Line int    `json:"line"`
	Text string `json:"text"`
}

func (n Note) String() string { return fmt.Sprintf("line %d: note: %s", n.Line, n.Text) }

// MaxFile is the maximum size of a file, in bytes.
const MaxFile = 256 << 20

// File is what a file of licenses has. It does not depend on the order of the lines, but for their numbers.
type File struct {
	Entries []Entry
	Notes   []Note
	Refused []Refusal
}

// Read reads a file of licenses: UTF-8 with or without a byte-order mark, a first line that names the columns, in any
// order, then one license a line.
//
// Every column of Header must be there, those of Optional may be. Dates are YYYY-MM-DD, types are license.Types in
// either case, support is yes or no (or true or false), max_loc is a number of lines of code from 1; contact may be
// blank, and so may the optional columns: customer is our reference of the customer, or a name by which the vendor
// tells customers apart; contract is our reference of the contract, or a name likewise; environment is production or
// staging; mirrors is the server ID of the production that a staging server mirrors; contacts are further email
// addresses; reference is what another system calls the customer, such as CRM:4711.
//
// Blank lines and empty columns at the end are what spreadsheets leave behind, and are skipped. A further line of a
// license with another contact adds the contact.
//
// Each refused line is returned with all its reasons. An error means that the whole file is not such a file.
func Read(r io.Reader) (f File, err error) {
	text, err := utf8Lines(r)
	if err != nil {
		return File{}, err
	}
	c := csv.NewReader(text)
	c.FieldsPerRecord = -1
	header, err := c.Read()
	if errors.Is(err, io.EOF) {
		return File{}, fault.New(fault.Invalid, "The file is empty.")
	}
	if err != nil {
		return File{}, fault.Wrap(fault.Invalid, err, "This is not a valid CSV file: %v.", err)
	}
	columns, err := readHeader(header)
	if err != nil {
		return File{}, err
	}
	var lines []line
	for {
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			f.join(lines)
			return f, nil
		}
		if broken, ok := errors.AsType[*csv.ParseError](err); ok && broken.Line == broken.StartLine {
			reason := fmt.Sprintf("Invalid CSV at character %d: %v.", broken.Column, broken.Err)
			if len(record) < len(columns) {
				reason = columns[len(record)] + ": " + reason
			}
			f.refuse(broken.Line, reason)
			continue
		}
		if err != nil { // an unclosed quote swallows the following lines
			return File{}, fault.Wrap(fault.Invalid, err, "This is not a valid CSV file: %v.", err)
		}
		if record = withoutGhosts(record, len(columns)); len(record) == 0 {
			continue
		}
		n, _ := c.FieldPos(0)
		l, reasons := parse(columns, record)
		if len(reasons) > 0 {
			f.refuse(n, reasons...)
			continue
		}
		l.n = n
		lines = append(lines, l)
	}
}

func (f *File) refuse(line int, reasons ...string) {
	f.Refused = append(f.Refused, Refusal{Line: line, Reasons: reasons})
}

func (f *File) note(line int, format string, args ...any) {
	f.Notes = append(f.Notes, Note{Line: line, Text: fmt.Sprintf(format, args...)})
}

// maxShown is how much of a wrong name is shown, in characters; nine such names fit a terminal.
const maxShown = 200

// readHeader reads which column is where from the first line. The error names every column that is not known, repeated
// or missing.
func readHeader(header []string) (columns, error) {
	header = withoutGhosts(header, 0)
	known := slices.Concat(Header, Optional)
	var found columns
	var wrong []string
	for i, typed := range header {
		name := strings.ToLower(strings.ReplaceAll(input.StripInvisible(typed), " ", ""))
		shown := input.OneLine(typed, maxShown)
		switch {
		case shown == "":
			wrong = append(wrong, fmt.Sprintf("column %d has no name", i+1))
		case !slices.Contains(known, name):
			wrong = append(wrong, fmt.Sprintf("column %d, “%s”, is not known", i+1, shown))
		case slices.Contains(found, name):
			wrong = append(wrong, fmt.Sprintf("column %d repeats %s", i+1, name))
		}
		found = append(found, name)
	}
	for _, name := range Header {
		if !slices.Contains(found, name) {
			wrong = append(wrong, name+" is missing")
		}
	}
	switch {
	case len(wrong) == 0:
		return found, nil
	case len(header) == 1 && strings.ContainsAny(header[0], ";\t"):
		return nil, fault.New(fault.Invalid,
			"The columns are separated by semicolons or tabs. Save the file as CSV with commas.")
	}
	return nil, fault.New(fault.Invalid, "Correct the first line: %s. It must name the columns %s, and may name %s.",
		strings.Join(wrong, "; "), strings.Join(Header, ","), strings.Join(Optional, ","))
}

// withoutGhosts drops the fields without a visible character at the end of a line, as far as they are beyond the
// columns or the whole line is blank.
func withoutGhosts(record []string, columns int) []string {
	if !slices.ContainsFunc(record, input.Visible) {
		return nil
	}
	for len(record) > columns && !input.Visible(record[len(record)-1]) {
		record = record[:len(record)-1]
	}
	return record
}

// columns are the names of a file's columns, in the order of the file.
type columns []string

// row returns the fields of a line by column; reasons if it has not as many as the first line.
func (c columns) row(record []string) (fields map[string]string, reasons []string) {
	switch n := len(record); {
	case n < len(c):
		return nil, []string{fmt.Sprintf("This line has %d fields instead of %d: %s is missing.", n, len(c),
			strings.Join(c[n:], ", "))}
	case n > len(c):
		return nil, []string{fmt.Sprintf("This line has %d fields instead of %d: after %s comes %s. "+
			"Put a field with a comma in quotes.", n, len(c), c[len(c)-1], input.Quote(record[len(c)]))}
	}
	fields = make(map[string]string, len(c))
	for i, name := range c {
		fields[name] = record[i]
	}
	return fields, nil
}

// line is a line of a file.
type line struct {
	n           int // from 1, which is the header
	license     license.License
	contact     license.Contact   // of the columns contact and email
	contacts    []license.Contact // of the column contacts
	customer    string
	contract    string
	environment request.Environment
	mirrors     license.Server
	reference   customer.Outside
}

// maxName is the longest text in the columns customer, contract and reference, in characters.
const maxName = 100

func parse(c columns, record []string) (l line, reasons []string) {
	row, reasons := c.row(record)
	if len(reasons) > 0 {
		return l, reasons
	}
	refuse := func(column string, err error) {
		if err != nil {
			reasons = append(reasons, column+": "+fault.Sentence(err))
		}
	}
	name := func(column, what string) string {
		s, err := input.Line("search", what, row[column], maxName)
		refuse(column, err)
		return s
	}
	var err error
	k := &l.license
	k.Organization, err = input.Line("organization", "The organization", row["organization"], license.MaxOrganization)
	if err == nil && k.Organization == "" {
		err = fault.New(fault.Invalid, "Enter the organization.")
	}
	refuse("organization", err)
	l.contact.Name, err = input.Line("name", "The contact", row["contact"], request.MaxName)
	refuse("contact", err)
	l.contact.Email, err = input.Email(row["email"])
	refuse("email", err)
	k.Server, err = license.ParseServer(row["server_id"])
	refuse("server_id", err)
	if k.Edition = license.Edition(strings.ToLower(word(row["edition"]))); !k.Edition.Valid() {
		refuse("edition", fault.New(fault.Invalid, "%s is not an edition. Use one of: %s.",
			input.Quote(row["edition"]), list(license.Editions)))
	}
	if k.Type = license.Type(strings.ToUpper(word(row["type"]))); !k.Type.Valid() {
		refuse("type", fault.New(fault.Invalid, "%s is not a license type. Use one of: %s.",
			input.Quote(row["type"]), list(license.Types)))
	}
	k.MaxLoc, err = parseMaxLoc(word(row["max_loc"]))
	refuse("max_loc", err)
	if k.Expiration, err = license.ParseDate(word(row["expiration"])); err != nil {
		refuse("expiration", fault.New(fault.Invalid, "%s is not a date. Write it as YYYY-MM-DD.",
			input.Quote(row["expiration"])))
	}
	k.Support, err = parseSupport(word(row["support"]))
	refuse("support", err)
	l.customer = name("customer", "The customer")
	l.contract = name("contract", "The contract")
	l.environment, err = parseEnvironment(word(row["environment"]), k.Type)
	refuse("environment", err)
	l.mirrors, err = parseMirrors(row["mirrors"], l.environment)
	refuse("mirrors", err)
	for _, typed := range input.Emails(row["contacts"]) {
		email, err := input.Email(typed)
		refuse("contacts", err)
		l.contacts = append(l.contacts, license.Contact{Email: email})
	}
	l.reference = parseReference(name("reference", "The reference"))
	k.ID = idOf(*k)
	return l, reasons
}

// word is a field of ASCII without the blanks and invisible characters that came along with it.
func word(s string) string { return strings.TrimSpace(input.StripInvisible(s)) }

// list joins the choices: "PRODUCTION, STAGING".
func list[T ~string](choices []T) string {
	names := make([]string, len(choices))
	for i, c := range choices {
		names[i] = string(c)
	}
	return strings.Join(names, ", ")
}

func parseMaxLoc(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 || s[0] == '+' {
		return 0, fault.New(fault.Invalid, "%s is not a valid max_loc. Use a whole number from 1.", input.Quote(s))
	}
	return n, nil
}

func parseSupport(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "yes", "true":
		return true, nil
	case "no", "false", "":
		return false, nil
	}
	return false, fault.New(fault.Invalid, "%s is not a valid support value. Use yes or no.", input.Quote(s))
}

// parseEnvironment returns what the server is used for. Only an evaluation can be for either environment.
func parseEnvironment(s string, of license.Type) (request.Environment, error) {
	usual := request.ProductionUse
	if of == license.Staging {
		usual = request.StagingUse
	}
	switch e := request.Environment(strings.ToLower(s)); {
	case e == "" || e == usual:
		return usual, nil
	case e != request.ProductionUse && e != request.StagingUse:
		return usual, fault.New(fault.Invalid, "%s is not an environment. Use production or staging.", input.Quote(s))
	case of == license.Evaluation:
		return e, nil
	}
	return usual, fault.New(fault.Invalid,
		"A license of type %s is for a %s server. Correct the type or the environment.", of, usual)
}

func parseMirrors(s string, of request.Environment) (license.Server, error) {
	if !input.Visible(s) {
		return "", nil
	}
	if of != request.StagingUse {
		return "", fault.New(fault.Invalid, "Only a staging server mirrors another server. Leave this blank.")
	}
	return license.ParseServer(s)
}

// parseReference reads CRM:4711; without the system, it is that of a CRM.
func parseReference(s string) customer.Outside {
	if s == "" {
		return customer.Outside{}
	}
	system, id, ok := strings.Cut(s, ":")
	if system, id = strings.TrimSpace(system), strings.TrimSpace(id); !ok || system == "" || id == "" {
		return customer.Outside{System: "CRM", ID: s}
	}
	return customer.Outside{System: system, ID: id}
}

// utf8Lines drops a UTF-8 byte-order mark at the start, and refuses files in another encoding and with other line ends
// than LF, which encoding/csv would read as one line.
func utf8Lines(r io.Reader) (io.Reader, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	start, err := b.Peek(64 << 10)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("import: reading the file: %w", err)
	}
	switch {
	case bytes.HasPrefix(start, []byte("\xff\xfe")),
		bytes.HasPrefix(start, []byte("\xfe\xff")),
		bytes.IndexByte(start, 0) >= 0:
		return nil, fault.New(fault.Invalid, "The file is UTF-16 text. Save it as “CSV UTF-8”.")
	case bytes.IndexByte(start, '\r') >= 0 && bytes.IndexByte(start, '\n') < 0:
		return nil, fault.New(
			fault.Invalid,
			"The lines end with CR alone, as on old Macs. Save the file with line ends LF or CR LF, "+
				"for example as “CSV UTF-8”.",
		)
	case bytes.HasPrefix(start, []byte("\ufeff")):
		b.Discard(len("\ufeff"))
	}
	return b, nil
}
