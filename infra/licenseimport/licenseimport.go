// Package licenseimport imports licenses that a vendor issued before this system: it reads them from a CSV file and
// records each with its reminders. The operator's tool and the local server use it.
package licenseimport

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"golang.org/x/text/unicode/norm"

	"marketplace/shared/fault"
	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/request"
	"marketplace/shared/store"
)

// Header is the first line of the file: the columns in this order.
var Header = []string{"organization", "contact", "email", "server_id", "edition", "type", "max_loc", "expiration",
	"support"}

// Refusal is a line of the file that was refused, with the reasons.
type Refusal struct {
	Line    int      `json:"line"` // from 1, which is the header
	Reasons []string `json:"reasons"`
}

func (r Refusal) String() string {
	return fmt.Sprintf("line %d: %s", r.Line, strings.Join(r.Reasons, " "))
}

// Entry is an accepted line of the file, with the contacts of further lines.
type Entry struct {
	Line    int
	License license.License
}

// Note is a line of the file that was accepted and that somebody should look at.
type Note struct {
	Line int    `json:"line"`
	Text string `json:"text"`
}

func (n Note) String() string { return fmt.Sprintf("line %d: note: %s", n.Line, n.Text) }

// MaxFile is the maximum size of a file, in bytes.
const MaxFile = 256 << 20

// File is what a file of licenses has.
type File struct {
	Entries []Entry
	Notes   []Note
	Refused []Refusal
}

// Read reads a file of licenses: UTF-8 with or without a byte-order mark, the Header, then one license a line. Dates
// are YYYY-MM-DD, types are license.Types in either case, support is yes or no (or true or false), max_loc is a number
// of lines of code from 1; contact may be blank. Blank lines and empty columns at the end are what spreadsheets leave
// behind, and are skipped. A further line of a license with another contact adds the contact.
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
	if err := checkHeader(header); err != nil {
		return File{}, err
	}
	lines := newLines(&f)
	for {
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if broken, ok := errors.AsType[*csv.ParseError](err); ok && broken.Line == broken.StartLine {
			reason := fmt.Sprintf("Invalid CSV at character %d: %v.", broken.Column, broken.Err)
			if len(record) < len(Header) {
				reason = Header[len(record)] + ": " + reason
			}
			f.refuse(broken.Line, reason)
			continue
		}
		if err != nil { // an unclosed quote swallows the following lines
			return File{}, fault.Wrap(fault.Invalid, err, "This is not a valid CSV file: %v.", err)
		}
		if record = withoutGhosts(record); len(record) == 0 {
			continue
		}
		line, _ := c.FieldPos(0)
		l, reasons := parse(record)
		if len(reasons) > 0 {
			f.refuse(line, reasons...)
			continue
		}
		lines.add(line, l)
	}
}

func (f *File) refuse(line int, reasons ...string) {
	f.Refused = append(f.Refused, Refusal{Line: line, Reasons: reasons})
}

func (f *File) note(line int, format string, args ...any) {
	f.Notes = append(f.Notes, Note{Line: line, Text: fmt.Sprintf(format, args...)})
}

// checkHeader names every column of the first line that is not as in Header.
func checkHeader(header []string) error {
	header = withoutGhosts(header)
	var wrong []string
	for i := range max(len(header), len(Header)) {
		switch {
		case i >= len(header):
			wrong = append(wrong, Header[i]+" is missing")
		case i >= len(Header):
			wrong = append(wrong, fmt.Sprintf("column %d, “%s”, is not known", i+1, input.OneLine(header[i], maxShown)))
		case !strings.EqualFold(strings.ReplaceAll(input.StripInvisible(header[i]), " ", ""), Header[i]):
			wrong = append(
				wrong,
				fmt.Sprintf("column %d is “%s” instead of %s", i+1, input.OneLine(header[i], maxShown),
					Header[i]),
			)
		}
	}
	switch {
	case len(wrong) == 0:
		return nil
	case len(header) == 1 && strings.ContainsAny(header[0], ";\t"):
		return fault.New(
			fault.Invalid,
			"The columns are separated by semicolons or tabs. Save the file as CSV with commas.",
		)
	}
	return fault.New(fault.Invalid, "The first line differs: %s. It must be %s.", strings.Join(wrong, "; "),
		strings.Join(Header, ","))
}

// maxShown is how much of a wrong name is shown, in characters; nine such names fit a terminal.
const maxShown = 200

// withoutGhosts drops the fields without a visible character at the end of a line, as far as they are beyond the Header
// or the whole line is blank.
func withoutGhosts(record []string) []string {
	if !slices.ContainsFunc(record, input.Visible) {
		return nil
	}
	for len(record) > len(Header) && !input.Visible(record[len(record)-1]) {
		record = record[:len(record)-1]
	}
	return record
}

// lines are the accepted lines of a file, so that those about one license or one server meet.
type lines struct {
	file     *File
	byID     map[string]int         // indexes in file.Entries
	byServer map[license.Server]int // the first of each server
}

func newLines(f *File) *lines { return &lines{f, map[string]int{}, map[license.Server]int{}} }

// add accepts a license, or what a further line of it has to add, or refuses what contradicts the line before.
func (s *lines) add(line int, l license.License) {
	i, known := s.byID[l.ID]
	if !known {
		s.byID[l.ID] = len(s.file.Entries)
		if j, ok := s.byServer[l.Server]; !ok {
			s.byServer[l.Server] = len(s.file.Entries)
		} else if e := s.file.Entries[j]; folded(e.License.Organization) != folded(l.Organization) {
			s.file.note(line, "server_id: the license in line %d is for the same server and another organization. "+
				"Both are recorded.", e.Line)
		}
		s.file.Entries = append(s.file.Entries, Entry{Line: line, License: l})
		return
	}
	first := &s.file.Entries[i]
	contact := l.Contacts[0]
	same := slices.IndexFunc(first.License.Contacts, func(c license.Contact) bool {
		return input.SameMailbox(c.Email, contact.Email)
	})
	differences := differences(first.License, l)
	if same >= 0 && first.License.Contacts[same].Name != contact.Name {
		differences = append(differences, fmt.Sprintf("contact is “%s” here and “%s” there", contact.Name,
			first.License.Contacts[same].Name))
	}
	switch {
	case len(differences) > 0:
		s.file.refuse(line, fmt.Sprintf("This line contradicts line %d, which is the same license: %s.", first.Line,
			strings.Join(differences, ", ")))
	case same >= 0:
		s.file.refuse(line, fmt.Sprintf("This line repeats line %d in every column.", first.Line))
	case len(first.License.Contacts) > request.MaxContacts:
		s.file.refuse(line, fmt.Sprintf("email: The license in line %d has %d contacts already, and cannot have more.",
			first.Line, len(first.License.Contacts)))
	default:
		first.License.Contacts = append(first.License.Contacts, contact)
		s.file.note(line, "email: this contact is added to the license in line %d.", first.Line)
	}
}

// differences are the columns in which two lines of the same license contradict each other.
func differences(first, l license.License) (list []string) {
	add := func(column string, here, there any) {
		if here != there {
			list = append(list, fmt.Sprintf("%s is %v here and %v there", column, here, there))
		}
	}
	add("organization", "“"+l.Organization+"”", "“"+first.Organization+"”")
	add("max_loc", l.MaxLoc, first.MaxLoc)
	add("support", yesNo(l.Support), yesNo(first.Support))
	return list
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func parse(record []string) (l license.License, reasons []string) {
	switch n := len(record); {
	case n < len(Header):
		return l, []string{fmt.Sprintf("This line has %d fields instead of %d: %s is missing.", n, len(Header),
			strings.Join(Header[n:], ", "))}
	case n > len(Header):
		return l, []string{fmt.Sprintf("This line has %d fields instead of %d: after %s comes %s. "+
			"Put a field with a comma in quotes.", n, len(Header), Header[len(Header)-1],
			input.Quote(record[len(Header)]))}
	}
	refuse := func(column string, err error) {
		if err != nil {
			reasons = append(reasons, column+": "+fault.Sentence(err))
		}
	}
	var err error
	var contact license.Contact
	l.Organization, err = input.Line("organization", "The organization", record[0], license.MaxOrganization)
	if err == nil && l.Organization == "" {
		err = fault.New(fault.Invalid, "Enter the organization.")
	}
	refuse("organization", err)
	contact.Name, err = input.Line("name", "The contact", record[1], request.MaxName)
	refuse("contact", err)
	contact.Email, err = input.Email(record[2])
	refuse("email", err)
	l.Contacts = []license.Contact{contact}
	l.Server, err = license.ParseServer(record[3])
	refuse("server_id", err)
	if l.Edition = license.Edition(strings.ToLower(word(record[4]))); !l.Edition.Valid() {
		refuse("edition", fault.New(fault.Invalid, "%s is not an edition. Use one of: %s.", input.Quote(record[4]),
			list(license.Editions)))
	}
	if l.Type = license.Type(strings.ToUpper(word(record[5]))); !l.Type.Valid() {
		refuse("type", fault.New(fault.Invalid, "%s is not a license type. Use one of: %s.", input.Quote(record[5]),
			list(license.Types)))
	}
	l.MaxLoc, err = parseMaxLoc(word(record[6]))
	refuse("max_loc", err)
	if l.Expiration, err = license.ParseDate(word(record[7])); err != nil {
		refuse(
			"expiration",
			fault.New(fault.Invalid, "%s is not a date. Write it as YYYY-MM-DD.", input.Quote(record[7])),
		)
	}
	l.Support, err = parseSupport(word(record[8]))
	refuse("support", err)
	l.ID = idOf(l)
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

// idOf derives the license ID from the organization, server, edition, type and expiration, so that importing a file
// again records nothing twice. It has the form of all IDs: 26 lower-case letters and digits.
func idOf(l license.License) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{
		"import", string(l.Server), string(l.Edition), string(l.Type), l.Expiration.String(), folded(l.Organization),
	}, "\n")))
	const crockford = "0123456789abcdefghjkmnpqrstvwxyz"
	return base32.NewEncoding(crockford).WithPadding(base32.NoPadding).EncodeToString(sum[:])[:26]
}

// folded is a name as it is compared, in whatever case and with whatever blanks it is written.
func folded(name string) string {
	return strings.ToLower(strings.Join(strings.Fields(norm.NFKC.String(name)), " "))
}

// Recorder records licenses. A Conflict fault means that the license ID is recorded with other terms.
type Recorder interface {
	OnRecord(ctx context.Context, l license.License) (bool, error)
	// AddLicense changes nothing if the license is already recorded; then added is false.
	AddLicense(ctx context.Context, l license.License, by string) (added bool, err error)
	FindByDataset(ctx context.Context, s license.Server, limit int) (store.Found, error)
}

// Report is the result of an import.
type Report struct {
	Recorded int       `json:"recorded"` // newly recorded licenses
	Known    int       `json:"known"`    // licenses that were recorded before
	Notes    []Note    `json:"notes,omitempty"`
	Refused  []Refusal `json:"refused,omitempty"`
}

// Import reads a file and records its licenses. If a line is refused, for its content or because its license is
// recorded with other terms, nothing is recorded unless skipRefused; the report lists the lines and reasons. Each
// license is recorded whole, with its index rows and its reminder. Running an interrupted import again finishes it.
func Import(ctx context.Context, rec Recorder, r io.Reader, by string, skipRefused bool) (Report, error) {
	file, err := Read(r)
	if err != nil {
		return Report{}, err
	}
	entries, report := file.Entries, Report{Notes: file.Notes, Refused: file.Refused}
	if !skipRefused {
		err := report.each(ctx, entries, func(ctx context.Context, e Entry) error {
			_, err := rec.OnRecord(ctx, e.License)
			return err
		})
		if err != nil {
			return report, fmt.Errorf("import: looking up licenses (nothing was imported): %w", err)
		}
		if len(report.Refused) > 0 {
			return report, nil
		}
	}
	var recorded, known atomic.Int64
	var mu sync.Mutex
	err = report.each(ctx, entries, func(ctx context.Context, e Entry) error {
		added, err := rec.AddLicense(ctx, e.License, by)
		if err != nil {
			return err
		}
		if !added {
			known.Add(1)
			return nil
		}
		recorded.Add(1)
		other, err := ofAnother(ctx, rec, e.License)
		if err == nil && other != "" &&
			!slices.ContainsFunc(file.Notes, func(n Note) bool { return n.Line == e.Line }) {
			mu.Lock()
			report.Notes = append(report.Notes, Note{e.Line, "server_id: license " + other +
				", which is on record, is for the same server and another organization. Both are recorded."})
			mu.Unlock()
		}
		return err
	})
	report.Recorded, report.Known = int(recorded.Load()), int(known.Load())
	slices.SortFunc(report.Notes, func(a, b Note) int { return a.Line - b.Line })
	if err != nil {
		return report, fmt.Errorf("import: stopped after %d licenses; run it again to import the rest: %w",
			report.Recorded+report.Known, err)
	}
	return report, nil
}

// maxCompared is with how many licenses of the same server a new one is compared.
const maxCompared = 100

// ofAnother returns the ID of a license of another organization for the same server; "" for none.
func ofAnother(ctx context.Context, rec Recorder, l license.License) (string, error) {
	found, err := rec.FindByDataset(ctx, l.Server, maxCompared)
	for _, other := range found.Licenses {
		if folded(other.Organization) != folded(l.Organization) {
			return other.ID, nil
		}
	}
	return "", err
}

// each calls do for every entry, with one goroutine for each shard of servers. A Conflict fault becomes a refusal.
func (r *Report) each(ctx context.Context, entries []Entry, do func(context.Context, Entry) error) error {
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	for shard := range store.Shards {
		g.Go(func() error {
			for _, e := range entries {
				if store.Shard(e.License.Server) != shard {
					continue
				}
				err := do(ctx, e)
				if conflict, ok := errors.AsType[*fault.Error](err); ok && conflict.Kind == fault.Conflict {
					mu.Lock()
					r.Refused = append(r.Refused, Refusal{Line: e.Line, Reasons: []string{conflict.Msg}})
					mu.Unlock()
				} else if err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := g.Wait()
	slices.SortFunc(r.Refused, func(a, b Refusal) int { return a.Line - b.Line })
	return err
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
