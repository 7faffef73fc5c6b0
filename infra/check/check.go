// Package check tests rules about the whole tree that no single package can test: who imports whom, what each program
// links, and whether template.yaml, Makefile and README.md match the code. It exports nothing.
//
// Every rule is a function that returns its violations as sentences, so that another test can show that it finds them.
package check
