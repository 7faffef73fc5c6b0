package license

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"strings"
	"testing"
)

// newSigner returns a private key and a key set of one Kid for every type.
func newSigner(t testing.TB, kid string, types ...Type) (*ecdsa.PrivateKey, PublicKey) {
	t.Helper()
	key, err := GenerateSigner()
	if err != nil {
		t.Fatal(err)
	}
	if types == nil {
		types = Types
	}
	return key, PublicKey{Kid: kid, Types: types, Key: &key.PublicKey}
}

func signed(t testing.TB, k Key) (string, KeySet) {
	t.Helper()
	private, public := newSigner(t, k.Kid)
	text, err := Sign(private, k)
	if err != nil {
		t.Fatal(err)
	}
	return text, KeySet{public}
}

func TestSignRefusesKeysThatDoNotReadBack(t *testing.T) {
	private, _ := newSigner(t, "test-1")
	for name, change := range map[string]func(*Key){
		"no Kid":                    func(k *Key) { k.Kid = "" },
		"ID with a space":           func(k *Key) { k.ID = "l 1" },
		"ID with a line end":        func(k *Key) { k.ID = "l1\n" },
		"no type":                   func(k *Key) { k.Type = "" },
		"no organization":           func(k *Key) { k.Organization = "" },
		"blank organization":        func(k *Key) { k.Organization = " " },
		"organization on two lines": func(k *Key) { k.Organization = "Acme\nServer=x" },
		"organization unseen":       func(k *Key) { k.Organization = "Acme\u202e" },
		"organization not UTF-8":    func(k *Key) { k.Organization = "Acme\xff" },
		"lone surrogate":            func(k *Key) { k.Organization = "Acme\xed\xa0\x80" },
		"long organization":         func(k *Key) { k.Organization = strings.Repeat("a", MaxOrganization+1) },
		"server of 16 characters":   func(k *Key) { k.Server = "AWHW8w9JtzBzSrmf" },
		"server with a space":       func(k *Key) { k.Server = " AWHW8w9JtzBzSrmf9GQX" },
		"edition":                   func(k *Key) { k.Edition = "professional" },
		"no plugins":                func(k *Key) { k.Plugins = nil },
		"no license plugin":         func(k *Key) { k.Plugins = []string{"cpp"} },
		"plugin with a comma":       func(k *Key) { k.Plugins = []string{"license", "cpp,abap"} },
		"plugin with a space":       func(k *Key) { k.Plugins = []string{"license", " abap"} },
		"empty plugin":              func(k *Key) { k.Plugins = []string{"license", ""} },
		"plugin twice":              func(k *Key) { k.Plugins = []string{"license", "license"} },
		"empty language":            func(k *Key) { k.Languages = []string{""} },
		"no lines of code":          func(k *Key) { k.MaxLoc = 0 },
		"negative lines of code":    func(k *Key) { k.MaxLoc = -1 },
		"no expiration":             func(k *Key) { k.Expiration = Date{} },
		"day that does not exist":   func(k *Key) { k.Expiration = Date{2019, 2, 30} },
		"year of five digits":       func(k *Key) { k.Expiration = Date{12019, 2, 1} },
		"expires before it begins":  func(k *Key) { k.NotBefore = k.Expiration.AddDays(1) },
		"too long": func(k *Key) {
			for i := range 200 {
				k.Features = append(k.Features, strings.Repeat("f", 60)+string(rune('a'+i/20))+string(rune('a'+i%20)))
			}
		},
	} {
		k := sample()
		change(&k)
		if text, err := Sign(private, k); err == nil {
			t.Errorf("%s: signed as %s", name, text)
		}
	}
}

// fixedSigner returns a fixed signature.
type fixedSigner struct {
	public crypto.PublicKey
	der    []byte
	err    error
}

func (s fixedSigner) Public() crypto.PublicKey { return s.public }
func (s fixedSigner) Sign(io.Reader, []byte, crypto.SignerOpts) (der []byte, err error) {
	return s.der, s.err
}

func TestSignRefusesOtherSigners(t *testing.T) {
	private, _ := newSigner(t, "test-1")
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der := func(r, s *big.Int) []byte {
		out, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	one, order := big.NewInt(1), elliptic.P256().Params().N
	failed := errors.New("no answer")
	for name, signer := range map[string]crypto.Signer{
		"another curve":  p384,
		"RSA":            fixedSigner{public: &rsa.PublicKey{}},
		"fails":          fixedSigner{public: &private.PublicKey, err: failed},
		"not DER":        fixedSigner{public: &private.PublicKey, der: make([]byte, 64)},
		"bytes after":    fixedSigner{public: &private.PublicKey, der: append(der(one, one), 0)},
		"zero":           fixedSigner{public: &private.PublicKey, der: der(new(big.Int), one)},
		"negative":       fixedSigner{public: &private.PublicKey, der: der(one, big.NewInt(-1))},
		"out of range":   fixedSigner{public: &private.PublicKey, der: der(order, one)},
		"s out of range": fixedSigner{public: &private.PublicKey, der: der(one, order)},
	} {
		if text, err := Sign(signer, sample()); err == nil {
			t.Errorf("%s: signed as %s", name, text)
		} else if name == "fails" && !errors.Is(err, failed) {
			t.Errorf("the cause is lost: %v", err)
		}
	}
}

func TestSignaturesUseTheSmallerS(t *testing.T) {
	k := sample()
	half := new(big.Int).Rsh(elliptic.P256().Params().N, 1)
	for range 20 { // each has an even chance of needing it
		text, keys := signed(t, k)
		d, err := read(text)
		if err != nil {
			t.Fatal(err)
		}
		s := new(big.Int).SetBytes(d.signature[32:])
		if s.Cmp(half) > 0 {
			t.Fatalf("s is the larger one in %s", text)
		}
		s.Sub(elliptic.P256().Params().N, s).FillBytes(d.signature[32:])
		other := base64.StdEncoding.EncodeToString([]byte(string(d.signed) + "Signature=" + d.signature.String() +
			"\n"))
		var reason Reason
		if _, err := Verify(other, keys); !errors.As(err, &reason) || reason.Code != BadSignature {
			t.Fatalf("the same signature with the larger s: %v", err)
		}
	}
}

func TestKidRotation(t *testing.T) {
	oldKey, oldPublic := newSigner(t, "production-1", Production, Staging)
	evaluationKey, evaluationPublic := newSigner(t, "evaluation-1", Evaluation)
	issuer := Issuer{Keys: KeySet{evaluationPublic, oldPublic},
		Signers: map[string]crypto.Signer{"evaluation-1": evaluationKey, "production-1": oldKey}}
	issue := func(k Key, wantKid string) string {
		t.Helper()
		text, err := issuer.Issue(k)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Verify(text, issuer.Keys); err != nil || got.Kid != wantKid {
			t.Fatalf("signed with %s, %v; want %s", got.Kid, err, wantKid)
		}
		return text
	}
	evaluation := sample()
	evaluation.Type = Evaluation
	before := issue(sample(), "production-1")
	trial := issue(evaluation, "evaluation-1")

	// The new Kid joins on 1 April, the old one is retired at the end of the month.
	newKey, newPublic := newSigner(t, "production-2", Production, Staging)
	newPublic.From = Date{2018, 4, 1}
	issuer.Keys = append(issuer.Keys, newPublic)
	issuer.Signers["production-2"] = newKey
	late := sample()
	late.Issued = Date{2018, 3, 31}
	issue(late, "production-1")
	late.Issued = Date{2018, 4, 1}
	after := issue(late, "production-2")
	issuer.Keys[1].Through = Date{2018, 4, 30}
	delete(issuer.Signers, "production-1")
	for name, text := range map[string]string{"before": before, "after": after, "evaluation": trial} {
		if _, err := Verify(text, issuer.Keys); err != nil {
			t.Errorf("signed %s the rotation: %v", name, err)
		}
	}

	// A stolen key leaves the set, and what it signed is not believed any more.
	stolen := KeySet{issuer.Keys[0], issuer.Keys[2]}
	var reason Reason
	if _, err := Verify(before, stolen); !errors.As(err, &reason) || reason.Code != UnknownKid {
		t.Errorf("a stolen key: %v", err)
	}
	early := sample()
	if text, err := issuer.Issue(early); err == nil {
		t.Errorf("nothing may sign on %s, but it was signed: %s", early.Issued, text)
	}
}

func TestIssueChecksWhatItSigned(t *testing.T) {
	private, _ := newSigner(t, "test-1")
	_, other := newSigner(t, "test-1")
	issuer := Issuer{Keys: KeySet{other}, Signers: map[string]crypto.Signer{"test-1": private}}
	var reason Reason
	if text, err := issuer.Issue(sample()); text != "" || !errors.As(err, &reason) || reason.Code != BadSignature {
		t.Errorf("a signer that is not the one published: %q, %v", text, err)
	}
}

func TestCheckBeforeSendingRefusesAnotherKey(t *testing.T) {
	text, keys := signed(t, sample())
	if err := CheckBeforeSending(text, sample(), keys); err != nil {
		t.Fatal(err)
	}
	k := sample()
	k.MaxLoc++
	if err := CheckBeforeSending(text, k, keys); err == nil {
		t.Error("a text of other terms may be sent")
	}
	for name, text := range map[string]string{"cut": text[:len(text)-8], "wrapped": text[:80] + "\n" + text[80:],
		"empty": ""} {
		if err := CheckBeforeSending(text, sample(), keys); err == nil {
			t.Errorf("%s: may be sent", name)
		}
	}
	if err := CheckBeforeSending(text, sample(), nil); err == nil {
		t.Error("a key of an unpublished Kid may be sent")
	}
}

func TestSignerRoundTripsThroughPEM(t *testing.T) {
	private, _ := newSigner(t, "test-1")
	data, err := MarshalSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ParseSigner(data); err != nil || !got.Equal(private) {
		t.Errorf("%v, %v", got, err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := MarshalSigner(p384)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"empty": nil, "no PEM": []byte("secret"), "another curve": wrong,
		"damaged": []byte(strings.Replace(string(data), "MIG", "MIH", 1))} {
		if key, err := ParseSigner(data); err == nil {
			t.Errorf("%s: %v", name, key)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error tells the input: %v", name, err)
		}
	}
}

func TestKeySetRoundTripsThroughJSON(t *testing.T) {
	_, a := newSigner(t, "evaluation-1", Evaluation)
	_, b := newSigner(t, "production-1", Production, Staging)
	b.From, b.Through = Date{2018, 1, 1}, Date{2018, 12, 31}
	data, err := json.Marshal(KeySet{a, b})
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseKeySet(data)
	if err != nil || len(got) != 2 || !got[0].Key.Equal(a.Key) || !got[1].Key.Equal(b.Key) {
		t.Fatalf("%s: %+v, %v", data, got, err)
	}
	if p, ok := got.Find("production-1"); !ok || p.From != b.From || p.Through != b.Through || !p.MaySign(Staging) ||
		p.MaySign(Evaluation) {
		t.Errorf("%+v", p)
	}
	if strings.Contains(string(data), `"d"`) {
		t.Errorf("the private key is published: %s", data)
	}
	if _, err := ParseKeySet([]byte(`{"keys":[]}`)); err != nil {
		t.Errorf("an empty set: %v", err)
	}
	swap := func(old, new string) string { return strings.Replace(string(data), old, new, 1) }
	for name, bad := range map[string]string{
		"no JSON": "keys", "no keys": "{}", "another curve": swap("P-256", "P-384"),
		"another algorithm": swap("ES256", "none"), "RSA": swap(`"EC"`, `"RSA"`),
		"for encryption": swap(`"sig"`, `"enc"`), "Kid twice": swap("evaluation-1", "production-1"),
		"no Kid":   swap("evaluation-1", ""),
		"no types": swap(`["EVALUATION"]`, `[]`), "unknown type": swap("EVALUATION", "PERPETUAL"),
		"day that does not exist": swap("2018-12-31", "2018-12-32"),
		"not on the curve":        swap(`"x":"`, `"x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","was":"`),
		"short coordinate":        swap(`"y":"`, `"y":"AAAA","was":"`), "padded coordinate": swap(`","y":`, `=","y":`),
	} {
		if set, err := ParseKeySet([]byte(bad)); err == nil {
			t.Errorf("%s: %+v", name, set)
		}
	}
	for name, set := range map[string]KeySet{"no types": {{Kid: "a", Key: a.Key}},
		"no key": {{Kid: "a", Types: Types}}, "Kid twice": {a, a}} {
		if data, err := json.Marshal(set); err == nil {
			t.Errorf("%s: %s", name, data)
		}
	}
}
