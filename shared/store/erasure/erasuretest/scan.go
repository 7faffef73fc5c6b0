// Package erasuretest reads every row of a table as somebody would who looks for a person. It shares no code with the
// erasure that it judges.
package erasuretest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"mime/quotedprintable"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/idna"

	"marketplace/shared/store/outbox"
	"marketplace/shared/table"
)

// Person is who is looked for.
type Person struct {
	Email string
	Names []string
}

// Scan returns where rows name a person: in keys, in values however they are encoded, and in letters. The text of
// issued keys is left out, and so are texts that are allowed to.
func Scan(ctx context.Context, rows []table.Row, box *outbox.Box, p Person, allowed ...string) (
	found []string, err error) {
	s := scanner{person: p, allowed: allowed}
	for _, row := range rows {
		s.where = row.Key.String()
		s.text("key", row.PK)
		s.text("key", row.SK)
		if row.Type == "letter" {
			id := strings.TrimPrefix(row.PK, "LETTER#")
			letters, err := box.Letters(ctx, id)
			if err != nil {
				return nil, err
			}
			for _, l := range letters {
				data, err := json.Marshal(l.Message)
				if err != nil {
					return nil, err
				}
				s.json(data)
			}
			continue
		}
		s.json(row.Data)
	}
	return s.found, nil
}

type scanner struct {
	person  Person
	allowed []string
	where   string
	found   []string
}

func (s *scanner) json(data []byte) {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		s.text("?", string(data))
		return
	}
	s.value("", v)
}

func (s *scanner) value(path string, v any) {
	switch v := v.(type) {
	case string:
		s.text(path, v)
	case []any:
		for i, one := range v {
			s.value(fmt.Sprint(path, ".", i), one)
		}
	case map[string]any:
		for key, one := range v {
			s.text(path, key)
			if key != "keyText" {
				s.value(path+"."+key, one)
			}
		}
	}
}

func (s *scanner) text(path, text string) {
	if slices.Contains(s.allowed, text) {
		return
	}
	for _, form := range forms(text, 2) {
		if what := s.person.in(form); what != "" {
			s.found = append(s.found, fmt.Sprintf("%s%s has the %s: %.200q", s.where, path, what, form))
			return
		}
	}
}

// forms are what a text may be once it is decoded.
func forms(text string, depth int) []string {
	list := []string{text}
	if depth == 0 {
		return list
	}
	add := func(s string, err error) {
		if err == nil && s != text && s != "" {
			list = append(list, forms(s, depth-1)...)
		}
	}
	add(html.UnescapeString(text), nil)
	if strings.Contains(text, "%") {
		add(url.QueryUnescape(text))
		add(url.PathUnescape(text))
	}
	if strings.Contains(text, "=") {
		qp, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(text)))
		add(string(qp), err)
	}
	if len(text) > 15 && !strings.ContainsAny(text, " @") {
		if b, err := base64.StdEncoding.DecodeString(text); err == nil && printable(b) {
			add(string(b), nil)
		}
	}
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") || strings.HasPrefix(text, `"`) {
		var v any
		if json.Unmarshal([]byte(text), &v) == nil {
			add(fmt.Sprint(v), nil)
		}
	}
	return list
}

func printable(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return c < ' ' && c != '\n' && c != '\r' && c != '\t' })
}

// in says what of the person a text has.
func (p Person) in(text string) string {
	folded := strings.ToLower(text)
	local, domain, _ := strings.Cut(strings.ToLower(p.Email), "@")
	spellings := []string{local + "@" + domain}
	if u, err := idna.ToUnicode(domain); err == nil {
		spellings = append(spellings, local+"@"+u)
	}
	if a, err := idna.ToASCII(domain); err == nil {
		spellings = append(spellings, local+"@"+a)
	}
	for _, spelling := range spellings {
		for from := 0; ; {
			i := strings.Index(folded[from:], spelling)
			if i < 0 {
				break
			}
			i += from
			before := i > 0 && strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789._+-", rune(folded[i-1]))
			end := i + len(spelling)
			after := end < len(folded) &&
				strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-", rune(folded[end]))
			if !before && !after {
				return "address"
			}
			from = i + 1
		}
	}
	for _, name := range p.Names {
		if strings.Contains(strings.Join(strings.Fields(folded), " "), strings.ToLower(name)) {
			return "name"
		}
	}
	return ""
}
