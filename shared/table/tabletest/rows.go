package tabletest

import (
	"maps"
	"slices"

	"marketplace/shared/table"
)

// Rows returns every row in the order of their keys: what a scan of the whole table would read.
func (m *Memory) Rows() (rows []table.Row) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, pk := range slices.Sorted(maps.Keys(m.partitions)) {
		p := m.partitions[pk]
		for _, sk := range p.keys {
			rows = append(rows, copied(p.rows[sk]))
		}
	}
	return rows
}
