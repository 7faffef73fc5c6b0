// Package response holds what all our HTTP functions need to answer: which of JSON and a page a client prefers
// (PrefersJSON), errors of an API (Problem), and a writer that keeps a response until it is known to be good (Buffer).
//
// It links the standard library alone, and no templates: the catalog function pays for every package at its cold start.
package response
