package client_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"marketplace/shared/license/client"
)

// mutated returns a key with one to four faults of the way: characters lost, added, exchanged and repeated, texts
// around it, cut off, wrapped.
func mutated(random *rand.Rand, text string) string {
	pieces := []string{
		"\n", "\r\n", " ", "\u00a0", "\u200b", "\ufeff", "=", "==", "-", "_", "+", "/", "> ", "\u2014", "!", "\\n", "A", "z", "\x00", "\xff",
		"=3D", "=\n", "<br>", "&nbsp;", "Kind regards", "Rm9ybWF0PTEK",
	}
	for range 1 + random.IntN(4) {
		i := random.IntN(len(text) + 1)
		j := min(len(text), i+random.IntN(40))
		switch random.IntN(7) {
		case 0:
			text = text[:i] + text[j:]
		case 1:
			text = text[:i] + pieces[random.IntN(len(pieces))] + text[i:]
		case 2:
			text = text[:i] + text[i:j] + text[i:j] + text[j:]
		case 3:
			text = text[:i] + strings.ToUpper(text[i:j]) + text[j:]
		case 4:
			text = pieces[random.IntN(len(pieces))] + text + pieces[random.IntN(len(pieces))]
		case 5:
			text = text[:max(i, len(text)*2/3)]
		case 6:
			text = strings.ReplaceAll(text, text[i:min(len(text), i+1)], pieces[random.IntN(len(pieces))])
		}
	}
	return text
}

// TestMutatedKeysKeepTheirVerdict holds the port to frozen verdicts: a key that a customer's server accepts today is
// read alike tomorrow. What the JDK says is compared in java_test.go.
func TestMutatedKeysKeepTheirVerdict(t *testing.T) {
	const (
		keys     = 12_000
		accepted = 4075
		want     = "eb305f4a56b6a3219fb54397420bf5eef9368b924aae776ebd04103fbb098487"
	)
	bases := []string{
		encode(
			"Format=1\nKid=prod-1\nId=01c6x2m4vj8q0n5r7t9w3y1z2b\nType=PRODUCTION\nOrganization=Z\\u00FCrcher Caf\\u00E9\n" +
				"Server=0A1B2C3D-AV9kPzQ7rTwXyZ0_a-bC\nEdition=enterprise\nPlugins=license,cobol,abap,governance\nFeatures=branches\n" +
				"MaxLoc=20000000\nSupport=true\nExpiration=2027-04-30\nIssued=2026-04-30\nSignature=" + strings.Repeat(
				"Ab-_9",
				17,
			) + "x\n",
		),
		encode(
			"Format=1\nKid=eval-1\nId=01c6x2m4vj8q0n5r7t9w3y1z2c\nType=EVALUATION\nOrganization=Acme AG\nServer=20110407133530\n" +
				"Edition=developer\nPlugins=license\nMaxLoc=100000\nSupport=false\nExpiration=2018-04-30\nIssued=2018-04-01\nSignature=" +
				strings.Repeat(
					"q",
					86,
				) + "\n",
		),
		key, odd,
	}
	random := rand.New(rand.NewPCG(7, 12_000))
	sum, valid := sha256.New(), 0
	for n := range keys {
		l, ok := client.Parse(mutated(random, bases[n%len(bases)]))
		if ok {
			valid++
		}
		fmt.Fprintf(sum, "%t %q %q\n", ok, l.Edition, l.Plugins)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want || valid != accepted {
		t.Errorf("got %d keys accepted and verdicts %s, want %d and %s", valid, got, accepted, want)
	}
}
