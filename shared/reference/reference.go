// Package reference defines the short references by which people name customers, contracts and requests: C-7K3Q9F.
package reference

// Reference is a short reference: a Kind, a dash and six characters of Crockford's base 32, in capitals.
type Reference string

// Kind is what a reference names.
type Kind string

const (
	Customer Kind = "C"
	Contract Kind = "K"
	Request  Kind = "R"
)
