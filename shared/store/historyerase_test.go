package store_test

import (
	"strings"

	"pgregory.net/rapid"

	"marketplace/shared/store/erasure/erasuretest"
	"marketplace/shared/store/rowkey"
)

// eraseSomebody erases a person at the end of a history, and scans every row.
func (h *history) eraseSomebody(rt *rapid.T) {
	h.audited.Erasing = true
	defer func() { h.audited.Erasing = false }()
	// The daily run reminds contacts, who are found by their customers. These histories remind people who may be none.
	for _, d := range h.digests {
		customer, _, _ := strings.Cut(d.of, "--")
		c := h.aside.Table().Begin()
		c.Names(rowkey.Customer(customer), "", d.to)
		if err := c.Commit(rt.Context()); err != nil {
			rt.Fatal(err)
		}
	}
	people := erasuretest.Everybody(h.memory.Rows(), "vendor.example")
	if len(people) == 0 {
		return
	}
	if err := erasuretest.Erase(rt.Context(), h.memory, h.aside, pick(rt, "erased", people...)); err != nil {
		rt.Fatal(err)
	}
}
