// Package licenseimport imports licenses that a vendor issued before this system: it reads them from a CSV file and
// records each with its reminders. The operator's tool and the local server use it.
package licenseimport

import (
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
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

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

// Entry is an accepted line of the file.
type Entry struct {
	Line    int
	License license.License
}

// MaxFile is the maximum size of a file, in bytes.
const MaxFile = 256 << 20

// Read reads a file of licenses: UTF-8 with or without a byte-order mark, the Header, then one license a line. Dates
// are YYYY-MM-DD, types are license.Types in either case, support is yes or no (or true or false), max_loc is a number
// of lines of code from 1; contact may be blank.
//
// Each refused line is returned with all its reasons. An error means that the whole file is not such a file.
func Read(r io.Reader) (entries []Entry, refused []Refusal, err error) {
	c := csv.NewReader(withoutBOM(r))
	c.FieldsPerRecord = -1
	header, err := c.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil, fault.New(fault.Invalid, "The file is empty.")
	}
	if err != nil {
		return nil, nil, fault.Wrap(fault.Invalid, err, "This is not a valid CSV file: %v.", err)
	}
	if got := strings.Join(header, ","); !strings.EqualFold(strings.ReplaceAll(got, " ", ""),
		strings.Join(Header, ",")) {
		return nil, nil, fault.New(fault.Invalid, "The first line is %s, but must be %s.", input.Quote(got),
			strings.Join(Header, ","))
	}
	lines := map[string]int{} // by license ID
	for {
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			return entries, refused, nil
		}
		if broken, ok := errors.AsType[*csv.ParseError](err); ok && broken.Line == broken.StartLine {
			refused = append(refused, Refusal{Line: broken.Line,
				Reasons: []string{fmt.Sprintf("Invalid CSV in column %d: %v.", broken.Column, broken.Err)}})
			continue
		}
		if err != nil { // an unclosed quote swallows the following lines
			return nil, nil, fault.Wrap(fault.Invalid, err, "This is not a valid CSV file: %v.", err)
		}
		line, _ := c.FieldPos(0)
		l, reasons := parse(record)
		if len(reasons) == 0 {
			if first, ok := lines[l.ID]; ok {
				reasons = []string{fmt.Sprintf("This line repeats line %d.", first)}
			}
			lines[l.ID] = line
		}
		if len(reasons) > 0 {
			refused = append(refused, Refusal{Line: line, Reasons: reasons})
			continue
		}
		entries = append(entries, Entry{Line: line, License: l})
	}
}

func parse(record []string) (l license.License, reasons []string) {
	if len(record) != len(Header) {
		return l, []string{fmt.Sprintf("This line has %d fields instead of %d.", len(record), len(Header))}
	}
	refuse := func(err error) {
		if err != nil {
			reasons = append(reasons, fault.Sentence(err))
		}
	}
	var err error
	var contact license.Contact
	l.Organization, err = input.Line("organization", "The organization", record[0], license.MaxOrganization)
	if err == nil && l.Organization == "" {
		err = fault.New(fault.Invalid, "Enter the organization.")
	}
	refuse(err)
	contact.Name, err = input.Line("name", "The contact", record[1], request.MaxName)
	refuse(err)
	contact.Email, err = input.Email(record[2])
	refuse(err)
	l.Contacts = []license.Contact{contact}
	l.Server, err = license.ParseServer(record[3])
	refuse(err)
	if l.Edition = license.Edition(strings.ToLower(strings.TrimSpace(record[4]))); !l.Edition.Valid() {
		refuse(fault.New(fault.Invalid, "%s is not an edition. Use one of: %s.", input.Quote(record[4]),
			list(license.Editions)))
	}
	if l.Type = license.Type(strings.ToUpper(strings.TrimSpace(record[5]))); !l.Type.Valid() {
		refuse(fault.New(fault.Invalid, "%s is not a license type. Use one of: %s.", input.Quote(record[5]),
			list(license.Types)))
	}
	l.MaxLoc, err = parseMaxLoc(strings.TrimSpace(record[6]))
	refuse(err)
	if l.Expiration, err = license.ParseDate(strings.TrimSpace(record[7])); err != nil {
		refuse(fault.New(fault.Invalid, "%s is not a date. Write it as YYYY-MM-DD.", input.Quote(record[7])))
	}
	l.Support, err = parseSupport(strings.TrimSpace(record[8]))
	refuse(err)
	l.ID = idOf(l)
	return l, reasons
}

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

// idOf derives the license ID from the server, edition, type and expiration, so that importing a file again records
// nothing twice. It has the form of all IDs: 26 lower-case letters and digits.
func idOf(l license.License) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{
		"import", string(l.Server), string(l.Edition), string(l.Type), l.Expiration.String(),
	}, "\n")))
	const crockford = "0123456789abcdefghjkmnpqrstvwxyz"
	return base32.NewEncoding(crockford).WithPadding(base32.NoPadding).EncodeToString(sum[:])[:26]
}

// Recorder records licenses. A Conflict fault means that the license ID is recorded with other terms.
type Recorder interface {
	OnRecord(ctx context.Context, l license.License) (bool, error)
	// AddLicense changes nothing if the license is already recorded; then added is false.
	AddLicense(ctx context.Context, l license.License, by string) (added bool, err error)
}

// Report is the result of an import.
type Report struct {
	Recorded int       `json:"recorded"` // newly recorded licenses
	Known    int       `json:"known"`    // licenses that were recorded before
	Refused  []Refusal `json:"refused,omitempty"`
}

// Import reads a file and records its licenses. If a line is refused, for its content or because its license is
// recorded with other terms, nothing is recorded unless skipRefused; the report lists the lines and reasons. Each
// license is recorded whole, with its index rows and its reminder. Running an interrupted import again finishes it.
func Import(ctx context.Context, rec Recorder, r io.Reader, by string, skipRefused bool) (Report, error) {
	entries, refused, err := Read(r)
	if err != nil {
		return Report{}, err
	}
	report := Report{Refused: refused}
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
	err = report.each(ctx, entries, func(ctx context.Context, e Entry) error {
		switch added, err := rec.AddLicense(ctx, e.License, by); {
		case err != nil:
			return err
		case added:
			recorded.Add(1)
		default:
			known.Add(1)
		}
		return nil
	})
	report.Recorded, report.Known = int(recorded.Load()), int(known.Load())
	if err != nil {
		return report, fmt.Errorf("import: stopped after %d licenses; run it again to import the rest: %w",
			report.Recorded+report.Known, err)
	}
	return report, nil
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

// withoutBOM drops a UTF-8 byte-order mark at the start.
func withoutBOM(r io.Reader) io.Reader {
	first := make([]byte, utf8.UTFMax-1)
	n, err := io.ReadFull(r, first)
	if err == nil && string(first) == "\ufeff" {
		return r
	}
	return io.MultiReader(strings.NewReader(string(first[:n])), r)
}
