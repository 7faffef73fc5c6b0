package main

import (
	"math/big"
	"slices"
	"strings"

	"marketplace/shared/license"
)

const (
	june   = "2018-06-15T12:00:00Z"
	server = "0A1B2C3D-AWHW8w9JtzBzSrmf9GQX"
)

// matchingInstance returns the server that base is for.
func matchingInstance() instance {
	return instance{
		Server: server, Loc: 1_200_000, Edition: "developer", Now: june,
		Plugins: []string{"license", "branch", "developer", "cpp", "swift", "vbnet", "abap", "plsql", "tsql"},
	}
}

func newPack() pack {
	p := pack{Format: 1, KeySet: keySet(),
		Vectors: slices.Concat(valid(), servers(), limits(), signatures(), bridges(), unreadable(), wrong(), mangled())}
	for i := range p.Vectors {
		v := &p.Vectors[i]
		if v.Reasons == nil {
			v.Reasons = []license.Code{}
		}
		if v.Warnings == nil {
			v.Warnings = []license.Code{}
		}
	}
	return p
}

// readableKey returns the vector of a readable key.
func readableKey(name string, l lines, kid string, at instance, codes ...license.Code) vector {
	v := vector{Name: name, Text: l.text(kid), Instance: at, Terms: l.terms(), Client: l.client()}
	for _, c := range codes {
		switch c {
		case license.ServerUpgraded, license.BridgeKey, license.ExpiresSoon, license.LocNearlyReached:
			v.Warnings = append(v.Warnings, c)
		default:
			v.Reasons = append(v.Reasons, c)
		}
	}
	return v
}

// client returns what the open-source server reads from the key.
func (l lines) client() *client {
	terms := l.terms()
	return &client{Edition: terms["Edition"], Plugins: strings.Split(terms["Plugins"], ",")}
}

func valid() []vector {
	short := base.without("Languages").without("Features").without("NotBefore")
	evaluation := short.with("Kid", evaluation1).with("Type", "EVALUATION").with("Support", "false").with("Expiration",
		"2018-07-31")
	rotated := base.with("Kid", production2).with("Issued", "2018-12-20").with("NotBefore",
		"2019-03-01").with("Expiration", "2020-02-29")
	hostile := readableKey("organization of hostile characters",
		base.with("Organization", `Zo\u00EB & \u674E = C:\u005Cnew # ! "x" \uD83E\uDD8A <b>, Signature=~~~???>>>`),
		production1, matchingInstance())
	hostile.Terms["Organization"] = `Zoë & 李 = C:\new # ! "x" 🦊 <b>, Signature=~~~???>>>`
	blanks := readableKey("organization that begins with a space and holds line ends",
		base.with("Organization", `\u0020 two\u000ASignature=\u000D\u0009\u0085 `), production1, matchingInstance())
	blanks.Terms["Organization"] = "  two\nSignature=\r\t\u0085 "
	pasted := readableKey("line ends and blanks around the key", paddedBase(1), production1, matchingInstance())
	pasted.Text = "\n \t" + pasted.Text + "\r\n"
	return []vector{
		pasted,
		readableKey("production key with every property", base, production1, matchingInstance()),
		readableKey("key without the properties that may be left out", short, production1, matchingInstance()),
		readableKey("nothing known of the server", base, production1, instance{}),
		readableKey("evaluation key", evaluation, evaluation1, matchingInstance()),
		readableKey("staging key", base.with("Type", "STAGING"), production1, matchingInstance()),
		readableKey("community key with the one plugin that it needs",
			base.with("Edition", "community").with("Plugins", "license").without("Languages").without("Features"),
			production1, instance{Server: server, Edition: "community", Plugins: []string{"license"}, Now: june}),
		readableKey("key of the new Kid after a rotation", rotated, production2,
			instance{Server: server, Now: "2019-06-15T12:00:00Z"}),
		readableKey("key of the retired Kid, issued on its last day", base.with("Issued", "2018-12-31"), production1,
			instance{Server: server, Now: "2019-01-15T12:00:00Z"}),
		readableKey("largest number of lines of code", base.with("MaxLoc", "9223372036854775807"), production1,
			instance{Loc: 8_301_034_833_169_298_226}),
		hostile,
		blanks,
	}
}

func servers() []vector {
	at := func(id string) instance { return instance{Server: id} }
	digits, hex, uuid := base.with("Server", "20110407133530"), base.with("Server", "1a2b3c4d5e6f708"),
		base.with("Server", "AWHW8w9JtzBzSrmf9GQX")
	return []vector{
		readableKey("server ID of 14 digits", digits, production1, at("20110407133530")),
		readableKey("server ID of 15 hexadecimal digits", hex, production1, at("1a2b3c4d5e6f708")),
		readableKey("server ID of 20 characters", uuid, production1, at("AWHW8w9JtzBzSrmf9GQX")),
		readableKey("server ID of 24 characters", base.with("Server", "0A1B2C3D-1a2b3c4d5e6f708"), production1,
			at("0A1B2C3D-1a2b3c4d5e6f708")),
		readableKey("server ID with dashes in its dataset part", base.with("Server", "0A1B2C3D-AW-W8w9J_zBz-rmf9GQ-"),
			production1, at("0A1B2C3D-AW-W8w9J_zBz-rmf9GQ-")),
		readableKey("another server", base, production1, at("0A1B2C3D-AWHW8w9JtzBzSrmf9GQY"), license.WrongServer),
		readableKey("a server ID that differs in case alone", base, production1, at("0A1B2C3D-AWHW8w9JtzBzSrmf9GQx"),
			license.WrongServer),
		readableKey("another server, IDs without prefix", uuid, production1, at("AWHW8w9JtzBzSrmf9GQY"),
			license.WrongServer),
		readableKey("same data, new database address", base, production1, at("FFFFFFFF-AWHW8w9JtzBzSrmf9GQX"),
			license.NewAddress),
		readableKey("same data, the server lost its prefix", base, production1, at("AWHW8w9JtzBzSrmf9GQX"),
			license.NewAddress),
		readableKey("the server got its prefix in an upgrade", uuid, production1, at(server), license.ServerUpgraded),
		readableKey("the server of 15 digits got its prefix in an upgrade", hex, production1,
			at("0A1B2C3D-1a2b3c4d5e6f708"),
			license.ServerUpgraded),
	}
}

func limits() []vector {
	now := func(t string) instance { return instance{Now: t} }
	loc := func(n int64) instance { return instance{Loc: n} }
	installed := func(edition string, plugins ...string) instance {
		return instance{Edition: edition, Plugins: plugins}
	}
	small := base.with("MaxLoc", "15")
	all := matchingInstance()
	all.Server, all.Loc, all.Now, all.Edition = "AWHW8w9JtzBzSrmf9GQY", 6_000_000, "2019-06-15T12:00:00Z", "enterprise"
	all.Plugins = append(all.Plugins, "governance", "rpg", "governance")
	altered := readableKey("everything at once", base.with("MaxLoc", "5500000"), production1, all, license.BadSignature,
		license.WrongServer, license.Expired, license.LocExceeded, license.PluginNotCovered, license.WrongEdition)
	altered.Text = encode(strings.Replace(base.raw(production1), "MaxLoc=5000000", "MaxLoc=5500000", 1))
	return []vector{
		readableKey("last second before it is valid", base, production1, now("2018-02-28T23:59:59Z"),
			license.NotYetValid),
		readableKey("first second in which it is valid", base, production1, now("2018-03-01T00:00:00Z")),
		readableKey("31 days before the expiration", base, production1, now("2019-01-28T23:59:59Z")),
		readableKey("30 days before the expiration", base, production1, now("2019-01-29T00:00:00Z"),
			license.ExpiresSoon),
		readableKey("last second of the expiration day", base, production1, now("2019-02-28T23:59:59Z"),
			license.ExpiresSoon),
		readableKey("first second after the expiration day", base, production1, now("2019-03-01T00:00:00Z"),
			license.Expired),
		readableKey("expiration day in New York, expired in UTC", base, production1, now("2019-02-28T19:00:00-05:00"),
			license.Expired),
		readableKey("day after the expiration in Tokyo, still valid in UTC", base, production1,
			now("2019-03-01T08:59:59+09:00"), license.ExpiresSoon),
		readableKey("expired evaluation", base.with("Kid", evaluation1).with("Type", "EVALUATION"), evaluation1,
			now("2020-01-01T00:00:00Z"), license.Expired),
		readableKey("nine tenths of the lines of code", base, production1, loc(4_500_000)),
		readableKey("one line above nine tenths", base, production1, loc(4_500_001), license.LocNearlyReached),
		readableKey("all lines of code", base, production1, loc(5_000_000), license.LocNearlyReached),
		readableKey("one line of code too many", base, production1, loc(5_000_001), license.LocExceeded),
		readableKey("nine tenths that are no whole number, below", small, production1, loc(13)),
		readableKey("nine tenths that are no whole number, above", small, production1, loc(14),
			license.LocNearlyReached),
		readableKey("fewer plugins than the key covers", base, production1, installed("", "license", "cpp")),
		readableKey("plugin that the key does not cover", base, production1, installed("", "license", "governance"),
			license.PluginNotCovered),
		readableKey("plugin whose key differs in case", base, production1, installed("", "license", "CPP"),
			license.PluginNotCovered),
		readableKey("server of another edition", base, production1, installed("enterprise"), license.WrongEdition),
		altered,
	}
}

func signatures() []vector {
	text := func(l lines, signature string) string { return encode(string(l) + "Signature=" + signature + "\n") }
	bad := func(name string, l lines, signature string) vector {
		v := readableKey(name, l, production1, matchingInstance(), license.BadSignature)
		v.Text = text(l, signature)
		return v
	}
	r, s := signature(production1, license.Domain+string(base))
	high := new(big.Int).Sub(order(), s)
	zero := new(big.Int)
	fromStart := base.with("Kid", production2)
	return []vector{
		readableKey("unknown Kid", base.with("Kid", unknownKid), unknownKid, matchingInstance(), license.UnknownKid),
		readableKey("evaluation Kid on a production key", base.with("Kid", evaluation1), evaluation1,
			matchingInstance(),
			license.TypeNotAllowed),
		readableKey("production Kid on an evaluation key", base.with("Type", "EVALUATION"), production1,
			matchingInstance(),
			license.TypeNotAllowed),
		readableKey("issued after the Kid was retired", base.with("Issued", "2019-01-01"), production1,
			matchingInstance(),
			license.KidOutOfUse),
		readableKey("issued before the Kid came into use", fromStart.with("Issued", "2018-11-30"), production2,
			matchingInstance(),
			license.KidOutOfUse),
		readableKey("issued on the first day of the Kid", fromStart.with("Issued", "2018-12-01"), production2,
			matchingInstance()),
		readableKey("Kid of a key that did not sign", base.with("Kid", production2).with("Issued", "2018-12-20"),
			production1, matchingInstance(), license.BadSignature),
		readableKey("forged with a stranger's key", base, unknownKid, matchingInstance(), license.BadSignature),
		bad("signed without the domain", base, sign(production1, string(base))),
		bad("altered lines of code", base.with("MaxLoc", "50000000"), rawSignature(r, s)),
		bad("altered order of plugins", base.replaced("cpp,swift", "swift,cpp"), rawSignature(r, s)),
		bad("larger s", base, rawSignature(r, high)),
		bad("r and s swapped", base, rawSignature(s, r)),
		bad("r and s zero", base, rawSignature(zero, zero)),
		bad("s zero", base, rawSignature(r, zero)),
		bad("s of the curve's order", base, rawSignature(r, order())),
	}
}

// bridges are keys of the Kid that signs keys of 14 days at most. What is in force on each of their days is a matter of
// NotBefore and Expiration alone: Issued is what the signer says.
func bridges() []vector {
	key := func(notBefore, expiration string) lines {
		return base.with("Kid", bridge1).with("NotBefore", notBefore).with("Expiration", expiration).with("Issued",
			"2018-06-10")
	}
	days14 := key("2018-06-10", "2018-06-23")
	now := func(t string) instance { return instance{Server: server, Now: t} }
	kid := func(name string, l lines, codes ...license.Code) vector {
		return readableKey(name, l, bridge1, matchingInstance(), codes...)
	}
	altered := kid("bridge key, altered to last longer", key("2018-06-10", "2018-06-24"), license.BadSignature,
		license.TermTooLong, license.BridgeKey)
	altered.Text = encode(strings.Replace(days14.raw(bridge1), "=2018-06-23", "=2018-06-24", 1))
	return []vector{
		kid("bridge key of 14 days", days14, license.BridgeKey),
		kid("bridge key of one day", key("2018-06-15", "2018-06-15"), license.BridgeKey),
		kid("bridge key of an evaluation", days14.with("Type", "EVALUATION"), license.BridgeKey),
		kid("bridge key of staging", days14.with("Type", "STAGING"), license.BridgeKey),
		readableKey("bridge key over a leap day", key("2020-02-20", "2020-03-04"), bridge1,
			now("2020-02-29T12:00:00Z"), license.BridgeKey),
		readableKey("bridge Kid on a key of 15 days over a leap day", key("2020-02-20", "2020-03-05"), bridge1,
			now("2020-02-29T12:00:00Z"), license.TermTooLong, license.BridgeKey),
		readableKey("bridge key, nothing known of the server", days14, bridge1, instance{}, license.BridgeKey),
		readableKey("last second of a bridge key", days14, bridge1, now("2018-06-23T23:59:59Z"), license.BridgeKey),
		readableKey("first second after a bridge key", days14, bridge1, now("2018-06-24T00:00:00Z"), license.Expired),
		readableKey("bridge key before its first day", days14, bridge1, now("2018-06-09T23:59:59Z"),
			license.NotYetValid, license.BridgeKey),
		readableKey("bridge key on another server", days14, bridge1,
			instance{Server: "0A1B2C3D-AWHW8w9JtzBzSrmf9GQY"}, license.WrongServer, license.BridgeKey),
		kid("bridge Kid on a key of 15 days", key("2018-06-10", "2018-06-24"), license.TermTooLong,
			license.BridgeKey),
		kid("bridge Kid on a key of a year", key("2018-06-10", "2019-06-09"), license.TermTooLong, license.BridgeKey),
		kid("bridge Kid on a key of 400 years", key("2018-06-10", "2418-06-09"), license.TermTooLong,
			license.BridgeKey),
		kid("bridge Kid on a key of 15 days, 14 of them after its issue", key("2018-06-09", "2018-06-23"),
			license.TermTooLong, license.BridgeKey),
		kid("bridge Kid on a key without its first day", days14.without("NotBefore"), license.TermTooLong,
			license.BridgeKey),
		kid("bridge Kid on a key that says that it was issued later", key("2018-06-10", "2019-06-09").with("Issued",
			"2019-06-01"), license.TermTooLong, license.BridgeKey),
		altered,
		readableKey("production key that names the bridge Kid", days14, production1, matchingInstance(),
			license.BadSignature, license.BridgeKey),
		readableKey("bridge's signature under the production Kid",
			base.with("NotBefore", "2018-06-10").with("Expiration", "2018-06-23"), bridge1, matchingInstance(),
			license.BadSignature, license.ExpiresSoon),
		readableKey("production key of 14 days under its own Kid",
			base.with("NotBefore", "2018-06-10").with("Expiration", "2018-06-23"), production1, matchingInstance(),
			license.ExpiresSoon),
	}
}
