package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"marketplace/shared/cloud/awsprofile"
	"marketplace/shared/cloud/signer"
	"marketplace/shared/license"
)

const licenseKeysUsage = `usage: ops license-keys [-compact] KID:TYPE[,TYPE]=KEY ...

Prints the public keys of KMS keys as a JWK Set, for LICENSE_KEYS and /.well-known/license-keys.json, in the order
given: list the oldest first. KEY is the ARN or ID of a key with the spec ECC_NIST_P256. TYPE is what it may sign:
EVALUATION, PRODUCTION or STAGING. The stack's output LicenseSigners has the arguments for the stack's own keys.
A KID that ends in bridge or bridge-N is one of bridge keys: it signs keys of 14 days at most (max_days).
-compact prints the set on one short line, for the parameter LicenseKeys of template.yaml.
`

// licenseKeys runs the command and returns its exit status.
func licenseKeys(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("license-keys", flag.ContinueOnError)
	compact := flags.Bool("compact", false, "")
	help := func(w io.Writer) { fmt.Fprint(w, licenseKeysUsage) }
	if status, ok := parse(flags, args, help, stdout, stderr); !ok {
		return status
	}
	if flags.NArg() == 0 {
		help(stderr)
		return 2
	}
	ctx := context.Background()
	kms, err := awsprofile.Keys(ctx)
	if err == nil {
		var set license.KeySet
		if set, err = keySet(ctx, kms, flags.Args()); err == nil {
			err = printKeySet(stdout, set, *compact)
		}
	}
	if err != nil {
		fmt.Fprintf(stderr, "license-keys: %v\n", err)
		return 1
	}
	return 0
}

func printKeySet(w io.Writer, set license.KeySet, compact bool) error {
	if !compact {
		return json.NewEncoder(w).Encode(set)
	}
	text, err := set.Compact()
	if err == nil {
		_, err = fmt.Fprintln(w, text)
	}
	return err
}

// keySet gets the keys that the arguments name from KMS.
func keySet(ctx context.Context, kms signer.Keys, args []string) (set license.KeySet, err error) {
	for _, arg := range args {
		name, key, ok := strings.Cut(arg, "=")
		kid, types, _ := strings.Cut(name, ":")
		p := license.PublicKey{Kid: kid, MaxDays: license.MaxDaysOf(kid)}
		for t := range strings.SplitSeq(types, ",") {
			p.Types = append(p.Types, license.Type(t))
		}
		unknown := func(t license.Type) bool { return !t.Valid() }
		if !ok || kid == "" || key == "" || slices.ContainsFunc(p.Types, unknown) {
			return nil, fmt.Errorf("%q does not have the form KID:TYPE=KEY", arg)
		}
		if p.Key, err = signer.PublicKey(ctx, kms, key); err != nil {
			return nil, err
		}
		set = append(set, p)
	}
	return set, nil
}
