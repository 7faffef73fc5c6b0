package store

import "marketplace/shared/customer"

// words returns the searchable words of a company's name, folded.
func words(name string) []string { return customer.Words(name) }
