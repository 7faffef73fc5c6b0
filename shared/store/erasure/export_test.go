package erasure

import "marketplace/shared/table"

// Skip leaves rows as they are.
func (e *Eraser) Skip(skip func(table.Row) bool) { e.skip = skip }
