//go:build race

// Package racing says whether the race detector is on, with which long simulations take ten times as long.
package racing

// Enabled reports whether the program was built with the race detector.
const Enabled = true
