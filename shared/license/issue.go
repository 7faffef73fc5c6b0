package license

import (
	"crypto"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"marketplace/shared/license/client"
)

// licensePlugin is the plugin that checks the key; a key without it is useless (client-contract.md §5).
const licensePlugin = "license"

// Issuer signs keys. During a rotation Keys has the old and the new Kid, and Signers may have both: Issue uses the
// newest that may sign, and keys signed with the old one still verify.
type Issuer struct {
	Keys    KeySet
	Signers map[string]crypto.Signer // by Kid
}

// Issue chooses the Kid of k by its Type and Issued, signs, and checks the text with CheckBeforeSending. A text that it
// returns without an error may be sent. It never signs with a Kid of bridge keys.
func (i Issuer) Issue(k Key) (text string, err error) { return i.issue(k, false) }

// IssueBridge is Issue for a bridge key, which it signs with no other Kid than one of those.
func (i Issuer) IssueBridge(k Key) (text string, err error) { return i.issue(k, true) }

func (i Issuer) issue(k Key, bridge bool) (text string, err error) {
	for _, p := range slices.Backward(i.Keys) {
		signer, ok := i.Signers[p.Kid]
		if !ok || p.Bridge() != bridge || !p.MaySign(k.Type) || !p.MaySignOn(k.Issued) || !p.MayLast(k) {
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
	if bridge {
		return "", fmt.Errorf("license: no signer for a bridge key of type %s issued on %s for %d days", k.Type,
			k.Issued, k.Days())
	}
	return "", fmt.Errorf("license: no signer for a key of type %s issued on %s", k.Type, k.Issued)
}

// CheckBeforeSending reads a key text back as its receivers will: the license plugin strictly and with its signature,
// the open-source server leniently. If either would not read k, it returns an error, and the key must not be stored or
// sent.
func CheckBeforeSending(text string, k Key, keys KeySet) error {
	got, err := Verify(text, keys)
	if err != nil {
		return fmt.Errorf("license: key %s must not be sent: %w", k.ID, err)
	}
	if !got.Equal(k) {
		return fmt.Errorf("license: key %s must not be sent: it does not read back as requested", k.ID)
	}
	server, ok := client.Parse(text)
	switch {
	case !ok:
		err = errors.New("the server would reject it")
	case server.Edition != string(k.Edition):
		err = fmt.Errorf("the server would read the edition %q", server.Edition)
	case !slices.Equal(server.Plugins, k.Plugins):
		err = fmt.Errorf("the server would read the plugins %q", server.Plugins)
	case !slices.Contains(server.Plugins, licensePlugin):
		err = fmt.Errorf("the plugins do not include %q", licensePlugin)
	}
	if err != nil {
		return fmt.Errorf("license: key %s must not be sent: %w", k.ID, err)
	}
	return nil
}

// Verify reads a key text like Read and verifies its signature. The error is the first Reason not to trust it. Evaluate
// says whether the key is valid for a certain server and day.
func Verify(text string, keys KeySet) (Key, error) {
	d, err := read(text)
	if err != nil {
		return Key{}, err
	}
	if reasons := d.checkSignature(keys); len(reasons) > 0 {
		return Key{}, reasons[0]
	}
	return d.key, nil
}

// checkSignature returns the reasons to doubt that the vendor issued this key.
func (d document) checkSignature(keys KeySet) []Reason {
	public, ok := keys.Find(d.key.Kid)
	if !ok {
		return []Reason{newReason(UnknownKid, d.key.Kid)}
	}
	var reasons []Reason
	if !d.signature.verifies(public.Key, d.signed) {
		reasons = append(reasons, newReason(BadSignature))
	}
	if !public.MaySign(d.key.Type) {
		reasons = append(reasons, newReason(TypeNotAllowed, d.key.Kid, d.key.Type.Name()))
	}
	if !public.MaySignOn(d.key.Issued) {
		reasons = append(reasons, newReason(KidOutOfUse, d.key.Kid, d.key.Issued.Long()))
	}
	if !public.MayLast(d.key) {
		reasons = append(reasons, newReason(TermTooLong, d.key.Kid, strconv.Itoa(public.MaxDays)))
	}
	return reasons
}
