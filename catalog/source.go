package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"marketplace/shared/lazyregexp"
	"marketplace/shared/properties"
)

// source is one properties file. It collects faults, so that one run reports all.
type source struct {
	name   string
	needed bool // an edition depends on it
	props  *properties.Properties
	*report
}

// report collects the faults of metadata, and warnings about what only looks wrong.
type report struct {
	now      time.Time
	faults   []error
	warnings []string
}

// open reads a file of the folder. For the vendor's reader, plugin files and the list of versions are ISO-8859-1, but
// people save them as UTF-8. Only sentences for people depend on it, so valid UTF-8 counts as UTF-8.
func open(dir fs.FS, name string, needed bool, r *report) (*source, bool) {
	s := &source{name: name, needed: needed, report: r}
	data, err := fs.ReadFile(dir, name)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = errors.New("the file is missing")
		}
		s.fault("%w", err)
		return nil, false
	}
	text, err := decode(data, name)
	if err == nil {
		s.props, err = properties.Parse(text)
	}
	if err != nil {
		s.fault("%w", err)
		return nil, false
	}
	s.checkSlips()
	return s, true
}

func decode(data []byte, name string) (string, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if utf8.Valid(data) {
		return string(data), nil
	}
	if name == templatesFile {
		return "", errors.New("the file is not UTF-8")
	}
	latin1 := make([]rune, len(data))
	for i, b := range data {
		latin1[i] = rune(b)
	}
	return string(latin1), nil
}

// fault adds a fault of the file.
func (s *source) fault(format string, args ...any) {
	s.faults = append(s.faults, fmt.Errorf(s.name+": "+format, args...))
}

// value returns a property, "" if it is missing or blank.
func (s *source) value(key string) string {
	value, _ := s.props.Get(key)
	return strings.TrimSpace(value)
}

// required returns a property that must not be blank.
func (s *source) required(key string) string {
	value := s.value(key)
	if value == "" {
		s.fault("property %s is missing", key)
	}
	return value
}

// list returns a comma-separated property without empty entries and blanks around entries.
func (s *source) list(key string) []string {
	return splitList(s.value(key))
}

func splitList(text string) []string {
	var entries []string
	for entry := range strings.SplitSeq(text, ",") {
		if entry = strings.TrimSpace(entry); entry != "" {
			entries = append(entries, entry)
		}
	}
	return entries
}

// entry is a file's properties of one version: "<version>.date" and so on.
type entry struct {
	*source
	name    string // the version as the file writes it
	subject string // begins each fault: "release 3.5: "
}

// value returns a property of the version, or the file's "defaults." one if the version has none, not even a blank one.
func (e entry) value(property string) string {
	if value, defined := e.props.Get(e.name + "." + property); defined {
		return strings.TrimSpace(value)
	}
	return e.source.value("defaults." + property)
}

func (e entry) fault(format string, args ...any) {
	e.source.fault(e.subject+format, args...)
}

func (e entry) slip(format string, args ...any) {
	e.source.slip(e.subject+format, args...)
}

func (e entry) required(property string) string {
	value := e.value(property)
	if value == "" {
		e.fault("no %s: property %s.%s is missing or blank", property, e.name, property)
	}
	return value
}

var dateForm = lazyregexp.New(`^([0-9]+)-([0-9]+)-([0-9]+)`)

// date returns the property "date", yyyy-mm-dd. As with the vendor, months and days may have one digit, and one that is
// too high continues in the next year or month: there are past releases of 2016-19-20.
func (e entry) date(required bool) time.Time {
	text := e.value("date")
	if required {
		text = e.required("date")
	}
	if text == "" {
		return time.Time{}
	}
	var numbers [3]int
	parts := dateForm().FindStringSubmatch(text)
	for i := range numbers {
		var err error
		if parts != nil {
			numbers[i], err = strconv.Atoi(parts[1+i])
		}
		if parts == nil || err != nil {
			e.fault("the date %q is not of the form yyyy-mm-dd", text)
			return time.Time{}
		}
	}
	date := time.Date(numbers[0], time.Month(numbers[1]), numbers[2], 0, 0, 0, 0, time.UTC)
	if year := numbers[0]; year < firstYear || year > e.now.Year()+1 {
		e.slip("the date %q is in the year %d; write it as yyyy-mm-dd", text, year)
	}
	return date
}

// firstYear is the first valid year of a release. An earlier one comes from a date that begins with the day.
const firstYear = 2000

// url returns a property that is an address, or "".
func (e entry) url(property string, required bool) string {
	text := e.value(property)
	if required {
		text = e.required(property)
	}
	if text != "" {
		if err := checkURL(text); err != nil {
			e.fault("the %s %q %w", property, text, err)
		}
	}
	return text
}

// checkURL refuses what is not an absolute address that a browser can open.
func checkURL(text string) error {
	address, err := url.Parse(text)
	switch {
	case err != nil || strings.ContainsAny(text, " \"<>\\^`{|}") || strings.ContainsFunc(text, isControl):
		return errors.New("is not a valid URL")
	case address.Scheme != "https" && address.Scheme != "http" && address.Scheme != "ftp":
		return errors.New("is not an http or https URL")
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
