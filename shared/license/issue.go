package license

import (
	"crypto"
	"errors"
	"fmt"
	"slices"

	"marketplace/shared/license/client"
)

// licensePlugin is the plugin that checks the rest; a key without it is of no use (client-contract.md §5).
const licensePlugin = "license"

// Issuer signs keys. During a rotation Keys has the old and the new Kid, and Signers may have both: the newest that may sign is
// taken, and what the old one signed still verifies.
type Issuer struct {
	Keys    KeySet
	Signers map[string]crypto.Signer // by Kid
}

// Issue chooses the Kid of k by its Type and Issued, signs, and checks the text as CheckBeforeSending does. Whatever it returns
// without an error may be sent.
func (i Issuer) Issue(k Key) (text string, err error) {
	for _, p := range slices.Backward(i.Keys) {
		signer, ok := i.Signers[p.Kid]
		if !ok || !p.Signs(k.Type) || !p.On(k.Issued) {
			continue
		}
		k.Kid = p.Kid
		text, err := Sign(signer, k)
		if err != nil {
			return "", err
		}
		if err := CheckBeforeSending(text, k, i.Keys); err != nil {
			return "", err
		}
		return text, nil
	}
	return "", fmt.Errorf("license: no signer for a key of type %s issued on %s", k.Type, k.Issued)
}

// CheckBeforeSending reads a key text back as its receivers will: the license plugin, strictly and with its signature, and
// the open-source server, leniently. What either would not take as k is an error, and must be neither stored as issued nor sent.
func CheckBeforeSending(text string, k Key, keys KeySet) error {
	got, err := Verify(text, keys)
	if err != nil {
		return fmt.Errorf("license: key %s must not be sent: %w", k.ID, err)
	}
	if !got.Equal(k) {
		return fmt.Errorf("license: key %s must not be sent: it says something else than was asked for", k.ID)
	}
	server, ok := client.Parse(text)
	switch {
	case !ok:
		err = errors.New("the server would call it invalid")
	case server.Edition != string(k.Edition):
		err = fmt.Errorf("the server would read the edition %q", server.Edition)
	case !slices.Equal(server.Plugins, k.Plugins):
		err = fmt.Errorf("the server would read the plugins %q", server.Plugins)
	case !slices.Contains(server.Plugins, licensePlugin):
		err = fmt.Errorf("the plugins lack %q", licensePlugin)
	}
	if err != nil {
		return fmt.Errorf("license: key %s must not be sent: %w", k.ID, err)
	}
	return nil
}

// Verify reads a key text exactly as Read does, and verifies who signed it. The error is the first Reason not to trust it. Whether
// the key is good for a certain server and day is for Evaluate to say.
func Verify(text string, keys KeySet) (Key, error) {
	d, err := read(text)
	if err != nil {
		return Key{}, err
	}
	if reasons := d.distrust(keys); len(reasons) > 0 {
		return Key{}, reasons[0]
	}
	return d.key, nil
}

// distrust gives the reasons not to believe that the vendor issued this key.
func (d document) distrust(keys KeySet) []Reason {
	public, ok := keys.Find(d.key.Kid)
	if !ok {
		return []Reason{newReason(UnknownKid, d.key.Kid)}
	}
	var reasons []Reason
	if !d.signature.verifies(public.Key, d.signed) {
		reasons = append(reasons, newReason(BadSignature))
	}
	if !public.Signs(d.key.Type) {
		reasons = append(reasons, newReason(TypeNotAllowed, d.key.Kid, d.key.Type.Name()))
	}
	if !public.On(d.key.Issued) {
		reasons = append(reasons, newReason(KidOutOfUse, d.key.Kid, d.key.Issued.Long()))
	}
	return reasons
}
