package license

import (
	"strings"
	"testing"
)

// TestUnmangleLimitsItsAttempts: without a limit, 64 KB of beginnings of keys take seconds.
func TestUnmangleLimitsItsAttempts(t *testing.T) {
	key, _ := signed(t, sample())
	const beginning = "Rm9ybWF0PTEK; "
	for n, found := range map[int]bool{0: true, maxKeyStarts - 1: true, maxKeyStarts: false, 5000: false} {
		if text, _ := Unmangle(strings.Repeat(beginning, n) + key); (text == key) != found {
			t.Errorf("after %d beginnings: found the key: %t", n, text == key)
		}
		if text, _ := Unmangle(key + " " + strings.Repeat(beginning, n)); text != key {
			t.Errorf("before %d beginnings, the key is not found", n)
		}
	}
}
