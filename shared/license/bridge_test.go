package license

import (
	"crypto"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// bridgeIssuer signs production with one key and bridge keys with another; each may sign every type.
func bridgeIssuer(t *testing.T) Issuer {
	t.Helper()
	i := Issuer{Signers: map[string]crypto.Signer{}}
	for _, kid := range []string{"test-production-1", "test-bridge-1"} {
		signer, err := GenerateSigner()
		if err != nil {
			t.Fatal(err)
		}
		i.Signers[kid] = signer
		i.Keys = append(i.Keys, PublicKey{Kid: kid, Types: Types, MaxDays: MaxDaysOf(kid), Key: &signer.PublicKey})
	}
	return i
}

// lasting is a key that is valid on so many days.
func lasting(days int) Key {
	k := sample()
	k.Issued = Date{2018, 6, 10}
	k.NotBefore, k.Expiration = k.Issued, k.Issued.AddDays(days-1)
	return k
}

func TestOnlyBridgeKeysAreSignedWithTheirKid(t *testing.T) {
	i := bridgeIssuer(t)
	for _, typ := range Types {
		for days := range 16 {
			k := lasting(days + 1)
			k.Type = typ
			text, err := i.Issue(k)
			if got, _ := Read(text); err != nil || got.Kid != "test-production-1" {
				t.Errorf("%s for %d days: Issue signed with %q, %v", typ, days+1, got.Kid, err)
			}
			text, err = i.IssueBridge(k)
			if got, _ := Read(text); days+1 <= BridgeDays && (err != nil || got.Kid != "test-bridge-1") ||
				days+1 > BridgeDays && (err == nil || text != "") {
				t.Errorf("%s for %d days: IssueBridge signed with %q, %v", typ, days+1, got.Kid, err)
			}
		}
	}
}

func TestIssuerWithoutTheOtherKindsKeySignsNothing(t *testing.T) {
	i := bridgeIssuer(t)
	only := func(kid string) Issuer { return Issuer{i.Keys, map[string]crypto.Signer{kid: i.Signers[kid]}} }
	if text, err := only("test-production-1").IssueBridge(lasting(5)); err == nil {
		t.Errorf("a bridge key was signed with the production key: %q", text)
	}
	if text, err := only("test-bridge-1").Issue(lasting(5)); err == nil {
		t.Errorf("a license was signed with the key of bridge keys: %q", text)
	}
}

func TestBridgeKeyNamesItsFirstDay(t *testing.T) {
	i := bridgeIssuer(t)
	k := lasting(5)
	k.NotBefore = Date{}
	if text, err := i.IssueBridge(k); err == nil {
		t.Errorf("signed %q, which would be valid since ever", text)
	}
	k.Kid = "test-bridge-1" // whoever has the key signs what they like
	text, err := Sign(i.Signers[k.Kid], k)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(text, i.Keys); err == nil || !strings.HasPrefix(err.Error(), string(TermTooLong)) {
		t.Errorf("Verify gave %v, want %s", err, TermTooLong)
	}
}

func TestKidAndMaxDaysOfBridgeKeysAgree(t *testing.T) {
	set := bridgeIssuer(t).Keys
	for kid, bridge := range map[string]bool{
		"bridge": true, "bridge-1": true, "bridge-12": true, "production-bridge-1": true, "local-bridge": true,
		"a.b_c-bridge-3": true, "bridge-1-bridge-2": true,
		"production-1": false, "cambridge-1": false, "bridge1": false, "bridge-": false, "bridge-x": false,
		"bridge-1-production-1": false, "Bridge-1": false, "-bridge-1": false, "my.bridge-1": false,
	} {
		if BridgeKid(kid) != bridge || (MaxDaysOf(kid) == BridgeDays) != bridge {
			t.Errorf("BridgeKid(%q) = %v, MaxDaysOf %d", kid, BridgeKid(kid), MaxDaysOf(kid))
		}
		for _, days := range []int{-1, 0, 1, 13, 14, 15, 365} {
			p := set[1]
			p.Kid, p.MaxDays = kid, days
			valid := bridge && 1 <= days && days <= 14 || !bridge && days == 0
			data, err := json.Marshal(KeySet{p})
			if (err == nil) != valid {
				t.Errorf("a set with %s of %d days: %v, want valid %v", kid, days, err, valid)
			}
			compact, err := KeySet{p}.Compact()
			if (err == nil) != valid {
				t.Errorf("a compact set with %s of %d days: %v, want valid %v", kid, days, err, valid)
			}
			for _, text := range []string{string(data), compact} {
				if read, err := ParseKeySet([]byte(text)); valid && (err != nil || read[0].MaxDays != days) {
					t.Errorf("%s of %d days: %q reads as %v, %v", kid, days, text, read, err)
				}
			}
		}
	}
}

func TestDaysInASetAreReadExactly(t *testing.T) {
	good, err := json.Marshal(bridgeIssuer(t).Keys[1:])
	if err != nil {
		t.Fatal(err)
	}
	compact, err := bridgeIssuer(t).Keys[1:].Compact()
	if err != nil {
		t.Fatal(err)
	}
	for _, days := range []string{"0", "15", "-1", `"14"`, "14.5", "null", "1e400", "true", "[14]"} {
		bad := strings.Replace(string(good), `"max_days":14`, `"max_days":`+days, 1)
		if set, err := ParseKeySet([]byte(bad)); err == nil {
			t.Errorf("max_days %s gave %d", days, set[0].MaxDays)
		}
	}
	for _, end := range []string{"", ":", ":0", ":15", ":014.", ":x", ":14:", ":14:14"} {
		bad := strings.TrimSuffix(compact, ":14") + end
		if set, err := ParseKeySet([]byte(bad)); err == nil {
			t.Errorf("%q gave %d days", bad, set[0].MaxDays)
		}
	}
}

func TestBridgeKeySaysSoAndNotThatItExpiresSoon(t *testing.T) {
	i := bridgeIssuer(t)
	text, err := i.IssueBridge(lasting(14))
	if err != nil {
		t.Fatal(err)
	}
	for day := -1; day <= 14; day++ {
		noon := Date{2018, 6, 10}.AddDays(day).Start().Add(12 * time.Hour)
		at := Instance{Now: noon, Warns: func(Key) bool { return true }}
		v := Evaluate(text, at, i.Keys)
		want := []Code{BridgeKey}
		switch {
		case day < 0:
			want = []Code{NotYetValid, BridgeKey}
		case day > 13:
			want = []Code{Expired}
		}
		var got []Code
		for _, r := range append(v.Reasons, v.Warnings...) {
			got = append(got, r.Code)
			if strings.Contains(r.Sentence+r.Remedy, "renewal") || strings.Contains(r.Sentence+r.Remedy, "$") ||
				r.Code == Expired && r.Request != "replacement" {
				t.Errorf("day %d: a bridge key is not renewed: %+v", day, r)
			}
		}
		if strings.Join(texts(got), " ") != strings.Join(texts(want), " ") {
			t.Errorf("day %d: got %v, want %v", day, got, want)
		}
	}
}

func texts(codes []Code) (list []string) {
	for _, c := range codes {
		list = append(list, string(c))
	}
	return list
}
