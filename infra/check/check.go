// Package check holds tests over the tree: who imports whom, what each program links, template.yaml, Makefile and README.md
// against the code. It is the place of rules that no single package can test. There is nothing in it to call.
//
// Every rule is a function that gives what breaks it, as sentences, so that a test can also show that it finds something.
package check
