package erasure

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"marketplace/shared/store"
	"marketplace/shared/store/delivery"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// typed are the fields that hold what people typed: listed, and changed only where an admin says so. They keep their
// names in the changes of timelines.
var typed = []string{"message", "company", "country", "question", "reason", "note", "notes", "text", "replaces",
	"formerNames", "partner", "outside", "endedReason", "organization", "revokedReason", "packages"}

// said are the actions whose notes people type. Code writes all others.
var said = []store.Action{store.NoteAdded, store.PermissionNoted, store.CustomerAsked, store.QuestionAnswered,
	store.RequestRejected, store.RequestWithdrawn, store.LicenseRevoked, store.RemindersMuted, store.VouchedFor,
	store.ContractEnded}

// Text is a text that somebody typed and that names the person.
type Text struct {
	ID    string `json:"id"`    // of this text, for Options.Clear
	Link  string `json:"link"`  // the page of the console that shows it
	Where string `json:"where"` // what it is: "note", "message"
	// Sum is a keyed hash of the text: it stays listed until somebody edits it, also once nothing tells the name any
	// more.
	Sum string `json:"sum"`
	// Words is the text itself. A report on record does not have it.
	Words string `json:"-"`
}

// cleared takes the place of a text that an admin cleared.
const cleared = "(text erased)"

// rewriter changes what a row says of a person.
type rewriter struct {
	*person
	row   table.Row
	clear func(id string) bool
	texts []Text // that stay
	dirty bool
}

// rewrite returns a row as it is without the person; dirty says whether that is another one.
func (p *person) rewrite(row table.Row, clear func(id string) bool) (after table.Row, w rewriter, err error) {
	w = rewriter{person: p, row: row, clear: clear}
	t, err := parse(row.Data)
	if err != nil {
		return row, w, fmt.Errorf("erasure: row %v: %w", row.Key, err)
	}
	if rowkey.Type(row.Type) == rowkey.TypeEvent {
		w.event(t)
	} else {
		w.value(t, "", false)
	}
	if after = row; w.dirty {
		after.Data = t.bytes()
	}
	if p.is(row.SK) { // who unsubscribed
		after.SK, w.dirty = p.address, true
	}
	return after, w, nil
}

// names learns the names that stand beside the address in a row.
func (p *person) learnFrom(row table.Row) error {
	t, err := parse(row.Data)
	if err == nil {
		p.learnIn(t)
	}
	return err
}

func (p *person) learnIn(t *tree) {
	if t.kind == '{' && p.is(t.string("email")) {
		p.learn(t.string("name"))
	}
	for i, kid := range t.kids {
		if kid.kind == '"' && t.kind == '{' && (t.keys[i] == "before" || t.keys[i] == "after") {
			if inner, err := parse([]byte(kid.text)); err == nil {
				p.learnIn(inner)
			}
		}
		p.learnIn(kid)
	}
}

// event rewrites what a transaction told a timeline.
func (w *rewriter) event(t *tree) {
	lines := t.member("lines")
	if lines == nil {
		return
	}
	for i, line := range lines.kids {
		at := fmt.Sprint("lines.", i)
		for k, key := range line.keys {
			kid := line.kids[k]
			switch {
			case key == "note" && store.Action(line.string("action")) == delivery.SuppressionLifted:
				who, why, _ := strings.Cut(kid.text, ": ")
				reason := &tree{kind: '"', text: why}
				w.leaf(reason, at+".note", true)
				w.replace(kid, w.withoutAddress(who)+": "+reason.text)
			case key == "note":
				w.leaf(kid, at+".note", slices.Contains(said, store.Action(line.string("action"))))
			case key == "changes":
				w.changes(kid, at)
			default:
				w.value(kid, at+"."+key, false)
			}
		}
	}
}

// changes rewrites the fields that changed, whose values are JSON in a string.
func (w *rewriter) changes(t *tree, at string) {
	for _, change := range t.kids {
		field := change.string("field")
		for i, key := range change.keys {
			if key != "before" && key != "after" {
				continue
			}
			inner, err := parse([]byte(change.kids[i].text))
			if err != nil {
				continue // blank: it was absent
			}
			changed := rewriter{person: w.person, row: w.row, clear: w.clear}
			changed.value(inner, at+"."+key+"."+field, field == "name" || slices.Contains(typed, field))
			w.texts = append(w.texts, changed.texts...)
			if changed.dirty {
				w.replace(change.kids[i], string(inner.bytes()))
			}
		}
	}
}

// value rewrites a value. free says that people typed it.
func (w *rewriter) value(t *tree, path string, free bool) {
	if t.kind == '{' && w.is(t.string("email")) {
		if name := t.member("name"); name != nil && name.text != "" {
			w.replace(name, Name)
		}
		if phone := t.member("phone"); phone != nil {
			w.replace(phone, "")
		}
	}
	if t.kind == '"' {
		w.leaf(t, path, free)
	}
	for i, kid := range t.kids {
		at, of := fmt.Sprint(path, ".", i), free
		if t.kind == '{' {
			at = path + "." + t.keys[i]
			of = free || slices.Contains(typed, t.keys[i]) ||
				path == "" && t.keys[i] == "name" && rowkey.Type(w.row.Type) == rowkey.TypeCustomer
		}
		w.value(kid, at, of)
	}
}

// leaf rewrites a text.
func (w *rewriter) leaf(t *tree, path string, free bool) {
	if !free {
		w.replace(t, w.withoutAddress(t.text))
		return
	}
	if t.text == "" || t.text == cleared {
		return
	}
	id := sha256.Sum256([]byte(w.row.Key.String() + "\x00" + path))
	text := Text{ID: hex.EncodeToString(id[:8]), Where: path[strings.LastIndexByte(path, '.')+1:], Words: t.text}
	if known := w.listed[text.ID]; !w.named(t.text) && (known == "" || !slices.Contains(w.sums(t.text), known)) {
		return
	}
	text.Sum = w.sums(t.text)[0]
	if w.clear(text.ID) {
		w.replace(t, cleared)
		return
	}
	w.texts = append(w.texts, text)
}

func (w *rewriter) replace(t *tree, by string) {
	if t.text != by {
		t.text, w.dirty = by, true
	}
}
