package store

import (
	"slices"
	"testing"
	"time"

	"marketplace/shared/request"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

func TestLinkedRequestIsFoundByItsCustomerAndNotByWords(t *testing.T) {
	r := request.Request{ID: "r", State: request.Received, Created: time.Unix(0, 0).UTC(),
		Details: request.Details{Company: "Fjord Systems", Email: "a@fjord.example", Server: "AWHW8w9JtzBzSrmf9GQX"}}
	keys := func() (keys []table.Key) {
		for _, row := range (requestEntity{r}).Index(1) {
			keys = append(keys, row.Key)
		}
		return keys
	}
	word := rowkey.RequestWord("fjord", "r")
	ofCustomer := table.Key{PK: rowkey.CustomerRequestsPK("c1"), SK: "r"}
	if got := keys(); !slices.Contains(got, word) || slices.Contains(got, ofCustomer) {
		t.Errorf("not linked: got rows %v", got)
	}
	r.Customer = "c1"
	if got := keys(); slices.Contains(got, word) || !slices.Contains(got, ofCustomer) {
		t.Errorf("linked: got rows %v", got)
	}
}
