package localdata

import (
	"crypto"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"marketplace/shared/atomicfile"
	"marketplace/shared/license"
)

// Issuer signs with the keys of the folder, one for evaluation licenses, one for bridge keys and one for all others. It
// makes missing keys; licenses signed with a deleted key are no longer valid.
func (d Dir) Issuer() (license.Issuer, error) {
	issuer := license.Issuer{Signers: map[string]crypto.Signer{}}
	for _, k := range []struct {
		kid   string
		types []license.Type
	}{
		{"local-evaluation", []license.Type{license.Evaluation}},
		{"local-production", []license.Type{license.Production, license.Staging}},
		{"local-bridge", license.Types},
	} {
		key, err := d.signer(d.path(k.kid + ".pem"))
		if err != nil {
			return issuer, err
		}
		issuer.Signers[k.kid] = key
		issuer.Keys = append(issuer.Keys, license.PublicKey{
			Kid: k.kid, Types: k.types, MaxDays: license.MaxDaysOf(k.kid), Key: &key.PublicKey,
		})
	}
	return issuer, nil
}

// signer reads the private key in a file, or makes one.
func (d Dir) signer(path string) (*ecdsa.PrivateKey, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return newSigner(path)
	}
	if err != nil {
		return nil, err
	}
	key, err := license.ParseSigner(data)
	if err != nil {
		return nil, fmt.Errorf("signer: %s: %w", path, err)
	}
	return key, nil
}

func newSigner(path string) (*ecdsa.PrivateKey, error) {
	key, err := license.GenerateSigner()
	if err != nil {
		return nil, err
	}
	data, err := license.MarshalSigner(key)
	if err != nil {
		return nil, err
	}
	return key, atomicfile.Write(path, data, 0o600)
}
