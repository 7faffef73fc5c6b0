package license

import (
	"strings"
	"testing"
)

// TestUnmangleLooksInSoManyPlaces: without a limit, 64 KB of beginnings of keys take seconds.
func TestUnmangleLooksInSoManyPlaces(t *testing.T) {
	key, _ := signed(t, sample())
	const beginning = "Rm9ybWF0PTEK; "
	for n, found := range map[int]bool{0: true, maxAttempts - 1: true, maxAttempts: false, 5000: false} {
		if text, _ := Unmangle(strings.Repeat(beginning, n) + key); (text == key) != found {
			t.Errorf("behind %d beginnings, the key is found: %t", n, text == key)
		}
		if text, _ := Unmangle(key + " " + strings.Repeat(beginning, n)); text != key {
			t.Errorf("before %d beginnings, the key is not found", n)
		}
	}
}
