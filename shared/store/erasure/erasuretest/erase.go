package erasuretest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"marketplace/shared/input"
	"marketplace/shared/store"
	"marketplace/shared/store/erasure"
	"marketplace/shared/table"
)

// Rows is a table all of whose rows can be read; *tabletest.Memory is one.
type Rows interface{ Rows() []table.Row }

// Everybody lists the people whose addresses are on record, but for those at a domain: colleagues.
func Everybody(rows []table.Row, colleagues string) (list []string) {
	for _, row := range rows {
		for _, prefix := range []string{"CONTACT#", "EMAIL-REQUESTS#", "NAMED#"} {
			email, ok := strings.CutPrefix(row.PK, prefix)
			if ok && !strings.HasSuffix(email, "@"+colleagues) && !input.Erased(email) && strings.Contains(email, "@") {
				list = append(list, email)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Erase erases a person, and is an error if a scan then finds the address, or a name that was nobody else's.
func Erase(ctx context.Context, rows Rows, kept *store.Store, email string) error {
	p := Person{Email: email, Names: ownNames(rows.Rows(), email)}
	keys, err := erasure.ParseKeys(base64.StdEncoding.EncodeToString(make([]byte, 32)))
	if err != nil {
		return err
	}
	e := erasure.New(kept, keys)
	r, err := e.Erase(ctx, email, erasure.Options{By: "admin@vendor.example", Now: kept.Now})
	if err != nil {
		return err
	}
	var allowed []string
	for _, text := range r.Texts {
		allowed = append(allowed, text.Words)
		var inner any // in the changes of a timeline, the text is JSON in a string
		if data, err := json.Marshal(text.Words); err == nil && json.Unmarshal(data, &inner) == nil {
			allowed = append(allowed, string(data))
		}
	}
	found, err := Scan(ctx, rows.Rows(), kept.Outbox(), p, allowed...)
	if err == nil && (!r.Done || len(found) > 0) {
		err = fmt.Errorf("erasing %s (%v): done %v, %v, found %s", email, p.Names, r.Done, r.Rows,
			strings.Join(found, "\n"))
	}
	return err
}

// ownNames are the names that stand beside the address and beside no other.
func ownNames(rows []table.Row, email string) (own []string) {
	of := map[string]map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			if strings.HasPrefix(v, "{") || strings.HasPrefix(v, "[") {
				var inner any
				if json.Unmarshal([]byte(v), &inner) == nil {
					walk(inner)
				}
			}
		case []any:
			for _, one := range v {
				walk(one)
			}
		case map[string]any:
			name, _ := v["name"].(string)
			if address, ok := v["email"].(string); ok && name != "" {
				if of[name] == nil {
					of[name] = map[string]bool{}
				}
				of[name][input.Mailbox(address)] = true
			}
			for _, one := range v {
				walk(one)
			}
		}
	}
	for _, row := range rows {
		var v any
		if json.Unmarshal(row.Data, &v) == nil {
			walk(v)
		}
	}
	for name, addresses := range of {
		if len(addresses) == 1 && addresses[input.Mailbox(email)] && strings.Contains(name, " ") {
			own = append(own, name)
		}
	}
	slices.Sort(own)
	return own
}
