package signer

import (
	"crypto"
	"fmt"
	"strings"

	"marketplace/shared/license"
)

// Issuer returns an issuer that signs licenses with KMS keys. keys is the published key set (LICENSE_KEYS), signers the
// KMS key of each Kid (LICENSE_SIGNERS: kid=ARN, separated by commas). Issuer does not call KMS.
func Issuer(api API, keys, signers string) (license.Issuer, error) {
	set, err := license.ParseKeySet([]byte(keys))
	if err != nil {
		return license.Issuer{}, err
	}
	issuer := license.Issuer{Keys: set, Signers: map[string]crypto.Signer{}}
	for pair := range strings.SplitSeq(signers, ",") {
		kid, id, ok := strings.Cut(strings.TrimSpace(pair), "=")
		public, known := set.Find(kid)
		switch {
		case !ok || id == "":
			return license.Issuer{}, fmt.Errorf("signer: %q is not a Kid and a KMS key, for example kid=arn:aws:kms:…",
				pair)
		case !known:
			return license.Issuer{}, fmt.Errorf("signer: the Kid %s of the KMS key %s is not among the published keys",
				kid, id)
		}
		issuer.Signers[kid] = New(api, id, public.Key)
	}
	return issuer, nil
}
