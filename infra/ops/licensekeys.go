package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"marketplace/shared/cloud/awsprofile"
	"marketplace/shared/cloud/signer"
	"marketplace/shared/license"
)

const licenseKeysUsage = `usage: ops license-keys KID:TYPE[,TYPE]=KEY ...

Prints the public keys of KMS keys as the JWK Set that LICENSE_KEYS takes and /.well-known/license-keys.json publishes, in the
order given: oldest first. KEY is the ARN or ID of a key of the spec ECC_NIST_P256, TYPE what it may sign: EVALUATION, PRODUCTION,
STAGING. The stack's output LicenseSigners has the arguments for its own keys.
`

// licenseKeys is the command; it returns the exit status.
func licenseKeys(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		fmt.Fprint(stderr, licenseKeysUsage)
		return 2
	}
	ctx := context.Background()
	kms, err := awsprofile.Keys(ctx)
	if err == nil {
		var set license.KeySet
		if set, err = keySet(ctx, kms, args); err == nil {
			err = json.NewEncoder(stdout).Encode(set)
		}
	}
	if err != nil {
		fmt.Fprintf(stderr, "license-keys: %v\n", err)
		return 1
	}
	return 0
}

// keySet asks KMS for the keys that the arguments name.
func keySet(ctx context.Context, kms signer.Keys, args []string) (set license.KeySet, err error) {
	for _, arg := range args {
		name, key, ok := strings.Cut(arg, "=")
		kid, types, _ := strings.Cut(name, ":")
		p := license.PublicKey{Kid: kid}
		for t := range strings.SplitSeq(types, ",") {
			p.Types = append(p.Types, license.Type(t))
		}
		if !ok || kid == "" || key == "" || slices.ContainsFunc(p.Types, func(t license.Type) bool { return !t.Valid() }) {
			return nil, fmt.Errorf("%q is not KID:TYPE=KEY", arg)
		}
		if p.Key, err = signer.PublicKey(ctx, kms, key); err != nil {
			return nil, err
		}
		set = append(set, p)
	}
	return set, nil
}
