package license

import (
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Compact writes the set on one line of about 100 characters a key, which command lines and configuration files pass
// whole: letters, digits and - _ + : , only. ParseKeySet reads it. A key is
//
//	kid:TYPE+TYPE:from:through:point
//
// with the days as in JSON, empty where JSON leaves them out, and the point compressed (SEC 1 §2.3.3) in base64url. A
// key of bridge keys has ":" and max_days behind.
func (s KeySet) Compact() (string, error) {
	if _, err := json.Marshal(s); err != nil { // checks the keys
		return "", err
	}
	var lines []string
	for _, p := range s {
		var types []string
		for _, t := range p.Types {
			types = append(types, string(t))
		}
		point, err := p.Key.Bytes() // 4, x, y
		if err != nil {
			return "", fmt.Errorf("license: key %s: %w", p.Kid, err)
		}
		compressed := append([]byte{2 + point[64]&1}, point[1:33]...)
		parts := []string{p.Kid, strings.Join(types, "+"), dayText(p.From), dayText(p.Through),
			base64.RawURLEncoding.EncodeToString(compressed)}
		if p.Bridge() {
			parts = append(parts, strconv.Itoa(p.MaxDays))
		}
		lines = append(lines, strings.Join(parts, ":"))
	}
	return strings.Join(lines, ","), nil
}

// dayText returns a date's text, "" for none.
func dayText(d Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

// parseCompact reads what Compact writes; "" is a set without keys.
func parseCompact(text string) (KeySet, error) {
	set := jwkSet{Keys: []jwk{}}
	for line := range strings.SplitSeq(text, ",") {
		if text == "" {
			break
		}
		parts := strings.Split(line, ":")
		if len(parts) != 5 && len(parts) != 6 {
			return nil, fmt.Errorf("%q does not have the form kid:TYPE+TYPE:from:through:point", line)
		}
		k := jwk{Type: "EC", Curve: "P-256", Use: "sig", Algorithm: "ES256", Kid: parts[0]}
		if len(parts) == 6 {
			days, err := strconv.Atoi(parts[5])
			if err != nil {
				return nil, fmt.Errorf("key %s: %q is not a number of days", k.Kid, parts[5])
			}
			k.MaxDays = &days
		}
		for t := range strings.SplitSeq(parts[1], "+") {
			k.LicenseTypes = append(k.LicenseTypes, Type(t))
		}
		for i, d := range []*Date{&k.From, &k.Through} {
			if parts[2+i] == "" {
				continue
			}
			var err error
			if *d, err = ParseDate(parts[2+i]); err != nil {
				return nil, fmt.Errorf("key %s: %w", k.Kid, err)
			}
		}
		point, err := base64.RawURLEncoding.Strict().DecodeString(parts[4])
		if err != nil {
			return nil, fmt.Errorf("key %s: the point is not in base64url", k.Kid)
		}
		x, y := elliptic.UnmarshalCompressed(elliptic.P256(), point)
		if x == nil {
			return nil, fmt.Errorf("key %s: the point is not a compressed one of P-256", k.Kid)
		}
		k.X = base64.RawURLEncoding.EncodeToString(x.FillBytes(make([]byte, 32)))
		k.Y = base64.RawURLEncoding.EncodeToString(y.FillBytes(make([]byte, 32)))
		set.Keys = append(set.Keys, k)
	}
	return set.keys()
}
