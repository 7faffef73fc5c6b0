package logging_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"marketplace/shared/license"
	"marketplace/shared/logging"
	"marketplace/shared/mail"
	"marketplace/shared/request"
	"marketplace/shared/store"
	"marketplace/shared/store/outbox"
)

// private is part of every text in a record, except IDs.
const private = "Lovelace"

// fill sets every field of a record: IDs to an ID, named string types (kinds, states, editions, server IDs) to a word,
// and every other string to personal data.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for f, member := range v.Fields() {
			switch {
			case !f.IsExported():
			case f.Name == "ID" || f.Name == "About":
				member.SetString("the-id")
			default:
				fill(member)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.String:
		if v.SetString("a-state"); v.Type() == reflect.TypeFor[string]() {
			v.SetString("Ada " + private + ", lovelace@example.org, +41 22 555 01 23")
		}
	case reflect.Uint8:
		v.SetUint('L')
	}
}

// record returns a pointer to a record with every field set.
func record[T any]() any {
	v := reflect.New(reflect.TypeFor[T]())
	fill(v.Elem())
	return v.Interface()
}

func TestLogShowsOnlyIDsAndStatesOfRecords(t *testing.T) {
	for _, record := range []any{
		record[request.Form](), record[request.Details](), record[request.Request](), record[request.Summary](),
		record[license.License](), record[license.Contact](), record[license.Key](),
		record[mail.Address](), record[mail.Attachment](), record[mail.Message](),
		record[store.LicenseRecord](), record[store.Due](), record[store.Summary](), record[outbox.Mail](),
		record[store.Event](),
	} {
		v := reflect.ValueOf(record)
		name, value := v.Elem().Type().String(), v.Elem().Interface()
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			log := logging.New(&out, "test")
			if _, ok := value.(slog.LogValuer); !ok {
				t.Error("got no slog.LogValuer")
			}
			log.Info("value", "it", value)
			log.Info("pointer", "it", record)
			log.Info("nil", "it", reflect.Zero(v.Type()).Interface())
			log.Info("any", slog.Any("it", value), slog.Any("it", record))
			log.Info("group", slog.Group("in", slog.Group("in", "it", value, "pointer", record)))
			log.WithGroup("in").With("it", record).Info("with")
			log.Info("list", "it", reflect.Append(reflect.MakeSlice(reflect.SliceOf(v.Elem().Type()), 0, 1),
				v.Elem()).Interface())
			log.Info("map", "it", map[string]any{"in": value})
			log.Info("inside", "it", struct{ In any }{value}, "pointer", &struct{ In any }{record})
			log.Error("error", "it", fmt.Errorf("with lovelace@example.org: %w", errors.New("<lovelace@example.org>")))
			checkLog(t, out.Bytes(), 10, private, "lovelace", "+41", "Ada")
			if hasID := reflect.Indirect(v).FieldByName("ID").IsValid(); hasID &&
				strings.Count(out.String(), `"id":"the-id"`) < 7 {
				t.Errorf("got no ID in %s", out.Bytes())
			}
		})
	}
}

// checkLog checks that the log has a number of lines, each of them JSON without any of the texts.
func checkLog(t *testing.T, out []byte, lines int, without ...string) {
	t.Helper()
	got := bytes.Split(bytes.TrimSuffix(out, []byte("\n")), []byte("\n"))
	if len(got) != lines {
		t.Errorf("got %d lines, want %d", len(got), lines)
	}
	for _, line := range got {
		if !json.Valid(line) {
			t.Errorf("got %s, want JSON", line)
		}
		for _, text := range without {
			if bytes.Contains(line, []byte(text)) {
				t.Errorf("got %q in %s", text, line)
			}
		}
	}
}

func TestOtherValuesAreLoggedUnchanged(t *testing.T) {
	var out bytes.Buffer
	logging.New(&out, "test").Warn("a word", "n", 3, "b", true, "state", request.Received, "took", time.Second,
		"f", 0.5,
		"nothing", nil,
		"path", "/editions/developer", "error", errors.New("no such table"), "list", []string{"a"})
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	delete(line, "time")
	if want := map[string]any{
		"level": "WARN", "msg": "a word", "n": 3.0, "b": true, "state": "received", "took": 1e9, "f": 0.5,
		"nothing": nil, "Stage": "test",
		"path": "/editions/developer", "error": "no such table", "list": "[redacted []string]",
	}; !reflect.DeepEqual(line, want) {
		t.Errorf("got %v, want %v", line, want)
	}
}

func TestAddressesInTextsAreRedacted(t *testing.T) {
	var out bytes.Buffer
	logging.New(&out, "test").With("path", "/search/ada@example.org").Info("to ada@example.org", "state",
		request.State("ada@example.org"), slog.Group("g", "to", "Ada <ada@example.org>"))
	checkLog(t, out.Bytes(), 1, "@", "ada@")
	if s := out.String(); strings.Count(s, "[redacted]") != 4 {
		t.Errorf("got the log %s", s)
	}
}
