// Package audit reads the audit, in which each change of the system is a row (storage.md, "The audit"), and writes what
// colleagues take out of it: exports and license keys. All other rows come with the changes that they tell.
//
// Nothing here changes or deletes a row.
package audit

import (
	"context"
	"fmt"

	"marketplace/shared/retention"
	"marketplace/shared/store"
	"marketplace/shared/store/entity"
	"marketplace/shared/store/rowkey"
)

// What the audit consists of.
type (
	Entry = entity.Audit // a row
	Done  = entity.Done  // a change in it
)

// Actions that change nothing, in the audit alone.
const (
	Exported     store.Action = "exported"
	KeyShown     store.Action = "license key shown"
	KeyLoaded    store.Action = "license key downloaded"
	LetterOpened store.Action = "email with a license key opened"
)

// Log is the audit in the table of a store.
type Log struct {
	kept  *store.Store
	table *entity.Table
	keep  retention.Policy
}

// New returns the audit in the table of a store. keep is how long its rows are kept.
func New(kept *store.Store, keep retention.Policy) *Log { return &Log{kept, kept.Table(), keep} }

// ExportPrefix begins what an export is about (Done.On), before its name.
const ExportPrefix = "EXPORT#"

// RecordExport records that a colleague exports what a name and a filter say, before anything of it is sent. The filter
// names nobody but colleagues.
func (l *Log) RecordExport(ctx context.Context, by, name, filter string) error {
	return l.record(ctx, ExportPrefix+name, entity.Line{By: by, Action: Exported, Note: filter})
}

// RecordKeyRead records that a colleague reads the key of a license of a customer, before it is sent: KeyShown or
// KeyLoaded.
func (l *Log) RecordKeyRead(ctx context.Context, by string, how store.Action, licenseID, customer string) error {
	return l.record(ctx, rowkey.License(licenseID).PK, entity.Line{By: by, Action: how, Customer: customer})
}

// RecordLetterRead records that a colleague reads a sent email with a key, before it is sent. about is the license or
// request on whose page it is.
func (l *Log) RecordLetterRead(ctx context.Context, by string, about store.Subject, customer string) error {
	return l.record(ctx, about.Key().PK, entity.Line{By: by, Action: LetterOpened, Customer: customer})
}

func (l *Log) record(ctx context.Context, on string, line entity.Line) error {
	c := l.table.Begin()
	c.Audit(on, line)
	if err := c.Commit(ctx); err != nil {
		return fmt.Errorf("audit: recording %q: %w", line.Action, err)
	}
	return nil
}
