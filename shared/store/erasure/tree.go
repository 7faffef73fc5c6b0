package erasure

import (
	"bytes"
	"encoding/json"
	"errors"
)

// tree is a JSON value whose members keep their order, so that a row changes only where a person is named.
type tree struct {
	kind byte // '{', '[', '"', or 0 for what is kept as it is
	keys []string
	kids []*tree
	text string
	raw  json.RawMessage
}

func parse(data []byte) (*tree, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	t, err := parseValue(d)
	if err == nil && d.More() {
		err = errors.New("erasure: more than one JSON value")
	}
	return t, err
}

func parseValue(d *json.Decoder) (*tree, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch v := token.(type) {
	case string:
		return &tree{kind: '"', text: v}, nil
	case json.Delim:
		t := &tree{kind: byte(v)}
		for d.More() {
			if v == '{' {
				key, err := d.Token()
				if err != nil {
					return nil, err
				}
				t.keys = append(t.keys, key.(string))
			}
			kid, err := parseValue(d)
			if err != nil {
				return nil, err
			}
			t.kids = append(t.kids, kid)
		}
		_, err := d.Token()
		return t, err
	}
	raw, err := json.Marshal(token)
	return &tree{raw: raw}, err
}

// member returns a member of an object; nil if there is none.
func (t *tree) member(key string) *tree {
	for i, k := range t.keys {
		if k == key {
			return t.kids[i]
		}
	}
	return nil
}

// string returns the text of a member; "" if it has none.
func (t *tree) string(key string) string {
	if m := t.member(key); m != nil {
		return m.text
	}
	return ""
}

func (t *tree) write(b *bytes.Buffer) {
	switch t.kind {
	case '"':
		text, _ := json.Marshal(t.text) // a string can always be written
		b.Write(text)
	case '{', '[':
		b.WriteByte(t.kind)
		for i, kid := range t.kids {
			if i > 0 {
				b.WriteByte(',')
			}
			if t.kind == '{' {
				key, _ := json.Marshal(t.keys[i])
				b.Write(key)
				b.WriteByte(':')
			}
			kid.write(b)
		}
		b.WriteByte(t.kind + 2) // the closing brace or bracket
	default:
		b.Write(t.raw)
	}
}

func (t *tree) bytes() json.RawMessage {
	var b bytes.Buffer
	t.write(&b)
	return b.Bytes()
}
