package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"strings"

	"marketplace/shared/license"
)

// pack is the content of vectors.json.
type pack struct {
	Format  int            `json:"format"`
	KeySet  license.KeySet `json:"keySet"`
	Vectors []vector       `json:"vectors"`
}

// vector is a text with the expected results.
type vector struct {
	Name     string            `json:"name"`
	Text     string            `json:"text"`
	Instance instance          `json:"instance"`
	Reasons  []license.Code    `json:"reasons"`         // in order
	Warnings []license.Code    `json:"warnings"`        // in order
	Terms    map[string]string `json:"terms,omitempty"` // the properties of a readable key
	Client   *client           `json:"client"`          // null: invalid for the open-source server
	Unmangle *unmangled        `json:"unmangle,omitempty"`
}

// instance is license.Instance; missing fields are unknown.
type instance struct {
	Server  string   `json:"server,omitempty"`
	Loc     int64    `json:"loc,omitempty"`
	Edition string   `json:"edition,omitempty"`
	Plugins []string `json:"plugins,omitempty"`
	Now     string   `json:"now,omitempty"` // RFC 3339
}

// client is what the open-source server reads from the text.
type client struct {
	Edition string   `json:"edition"`
	Plugins []string `json:"plugins"`
}

// unmangled is the result of license.Unmangle.
type unmangled struct {
	Text    string         `json:"text"`
	Undone  []string       `json:"undone"`
	Reasons []license.Code `json:"reasons"` // of that text
}

// Kids of the pack.
const (
	evaluation1 = "evaluation-1"
	production1 = "production-1" // retired on the last day of 2018
	production2 = "production-2"
	bridge1     = "bridge-1"
	unknownKid  = "stranger" // not in the key set
)

func testKey(kid string) *ecdsa.PrivateKey {
	scalar := sha256.Sum256([]byte("test key of the license vectors: " + kid))
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar[:])
	if err != nil {
		panic(err)
	}
	return key
}

func keySet() license.KeySet {
	return license.KeySet{
		{Kid: evaluation1, Types: []license.Type{license.Evaluation}, Key: &testKey(evaluation1).PublicKey},
		{Kid: production1, Types: []license.Type{license.Production, license.Staging},
			Through: license.Date{Year: 2018, Month: 12, Day: 31}, Key: &testKey(production1).PublicKey},
		{Kid: production2, Types: []license.Type{license.Production, license.Staging},
			From: license.Date{Year: 2018, Month: 12, Day: 1}, Key: &testKey(production2).PublicKey},
		{Kid: bridge1, Types: license.Types, MaxDays: 14, Key: &testKey(bridge1).PublicKey},
	}
}

// lines are the lines of a key before its signature, each with its LF.
type lines string

// base is a production key with every property.
const base lines = `Format=1
Kid=production-1
Id=01cdk5zy3e8wxq9v7m2h4n6p8r
Type=PRODUCTION
Organization=Acme AG
Server=0A1B2C3D-AWHW8w9JtzBzSrmf9GQX
Edition=developer
Plugins=license,branch,developer,cpp,swift,vbnet,abap,plsql,tsql
Languages=cobol
Features=branches,smart-notifications
MaxLoc=5000000
Support=true
NotBefore=2018-03-01
Expiration=2019-02-28
Issued=2018-02-26
`

// with returns the lines with another value of the property.
func (l lines) with(name, value string) lines {
	start := strings.Index(string(l), "\n"+name+"=") + 1
	if start == 0 {
		panic("no property " + name)
	}
	end := start + strings.Index(string(l[start:]), "\n")
	return l[:start] + lines(name+"="+value) + l[end:]
}

// without returns the lines without the property.
func (l lines) without(name string) lines {
	start := strings.Index(string(l), "\n"+name+"=") + 1
	if start == 0 {
		panic("no property " + name)
	}
	end := start + strings.Index(string(l[start:]), "\n") + 1
	return l[:start] + l[end:]
}

// replaced returns the lines with old replaced by new, once.
func (l lines) replaced(old, new string) lines {
	if !strings.Contains(string(l), old) {
		panic("no " + old)
	}
	return lines(strings.Replace(string(l), old, new, 1))
}

// terms returns the properties; it does not decode escapes.
func (l lines) terms() map[string]string {
	terms := make(map[string]string)
	for line := range strings.Lines(string(l)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		terms[name] = value
	}
	return terms
}

// raw returns the text of a key: l and its signature by the test key of the Kid.
func (l lines) raw(kid string) string {
	return string(l) + "Signature=" + sign(kid, license.Domain+string(l)) + "\n"
}

// text returns the key text, signed by the test key of the Kid.
func (l lines) text(kid string) string { return encode(l.raw(kid)) }

func encode(raw string) string { return base64.StdEncoding.EncodeToString([]byte(raw)) }

func sign(kid, message string) string {
	r, s := signature(kid, message)
	return rawSignature(r, s)
}

// signature returns r and the lower s.
func signature(kid, message string) (r, s *big.Int) {
	digest := sha256.Sum256([]byte(message))
	der, err := testKey(kid).Sign(nil, digest[:], crypto.SHA256) // nil: RFC 6979
	if err != nil {
		panic(err)
	}
	var v struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &v); err != nil {
		panic(err)
	}
	if other := new(big.Int).Sub(order(), v.S); other.Cmp(v.S) < 0 {
		v.S = other
	}
	return v.R, v.S
}

func order() *big.Int { return elliptic.P256().Params().N }

func rawSignature(r, s *big.Int) string {
	var out [64]byte
	r.FillBytes(out[:32])
	s.FillBytes(out[32:])
	return base64.RawURLEncoding.EncodeToString(out[:])
}
