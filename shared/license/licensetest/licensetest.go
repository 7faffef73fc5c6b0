// Package licensetest provides signers for tests of license keys.
package licensetest

import (
	"crypto"
	"testing"

	"marketplace/shared/license"
)

// Issuer returns an issuer with new keys: eval-1 for evaluations, prod-1 for production and staging.
func Issuer(t testing.TB) license.Issuer {
	t.Helper()
	i := license.Issuer{Signers: map[string]crypto.Signer{}}
	for _, k := range []struct {
		kid   string
		types []license.Type
	}{
		{"eval-1", []license.Type{license.Evaluation}},
		{"prod-1", []license.Type{license.Production, license.Staging}},
	} {
		signer, err := license.GenerateSigner()
		if err != nil {
			t.Fatal(err)
		}
		i.Signers[k.kid] = signer
		i.Keys = append(i.Keys, license.PublicKey{Kid: k.kid, Types: k.types, Key: &signer.PublicKey})
	}
	return i
}
