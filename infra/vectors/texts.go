package main

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"marketplace/shared/license"
)

// unreadableText returns the vector of a text that cannot be read.
func unreadableText(name, text string, reason license.Code, c *client) vector {
	return vector{Name: name, Text: text, Instance: matchingInstance(), Reasons: []license.Code{reason}, Client: c}
}

// paddedBase returns base with an organization that makes the length of the key text over modulo 3, which decides its
// padding.
func paddedBase(over int) lines {
	for l := base; ; l = l.replaced("Acme", "Acmee") {
		if len(l.raw(production1))%3 == over {
			return l
		}
	}
}

func unreadable() []vector {
	key := base.text(production1)
	raw := base.raw(production1)
	read := base.client()
	whole, padded := paddedBase(0).text(production1), paddedBase(1).text(production1)
	other := base.with("Edition", "enterprise").with("Plugins", "license,governance").text(production1)
	jwt := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." +
		base64.RawURLEncoding.EncodeToString([]byte("{}")) + "."
	return []vector{
		unreadableText("empty", "", license.Empty, nil),
		unreadableText("blank", " \r\n\t ", license.Empty, nil),
		unreadableText("a word", "developer", license.WrongFormat, nil),
		unreadableText("a sentence", "See the attached file.", license.NotBase64, nil),
		unreadableText("a JSON Web Token", jwt, license.NotBase64, nil),
		unreadableText("the text that base64 should hold", raw, license.NotBase64, nil),
		unreadableText("other base64", encode("Edition=developer\nPlugins=license\n"), license.WrongFormat,
			&client{"developer", []string{"license"}}),
		unreadableText("half of a key", key[:len(key)/8*4], license.Truncated, read),
		unreadableText("the last character is missing", key[:len(key)-1], license.Truncated, read),
		unreadableText("padding is missing", strings.TrimRight(padded, "="), license.Truncated, read),
		unreadableText("padding is missing in part", strings.TrimSuffix(padded, "="), license.Truncated, read),
		unreadableText("cut behind the first line", encode("Format=1\n"), license.Truncated, nil),
		unreadableText("cut in the first line", encode("Format=1"), license.Truncated, nil),
		unreadableText("cut before the signature", encode(string(base)), license.Truncated, read),
		unreadableText("cut in the signature", encode(raw[:len(raw)-30]), license.Truncated, read),
		unreadableText("no line end behind the signature", encode(raw[:len(raw)-1]), license.Truncated, read),
		unreadableText("too much padding", padded+"=", license.TextAfterKey, read),
		unreadableText("bits in the padding that are not zero", strings.TrimSuffix(padded, "g==")+"h==",
			license.NotBase64,
			read),
		unreadableText("a character that base64 does not have", key[:100]+"*"+key[101:], license.NotBase64, nil),
		unreadableText("= in the middle, between groups of four", key[:400]+"="+key[400:], license.NotBase64, read),
		unreadableText("a line of text behind the signature", encode(paddedBase(1).raw(production1)+"Thanks\n"),
			license.TextAfterKey, read),
		unreadableText("a line end too many", encode(paddedBase(2).raw(production1)+"\n"), license.TextAfterKey, read),
		unreadableText("letters behind the padding", padded+"Thanks", license.TextAfterKey, read),
		unreadableText("letters behind a key without padding", whole+"Thanks", license.TextAfterKey, read),
		unreadableText("two keys, the first padded", padded+other, license.SeveralKeys, read),
		unreadableText("two keys, the first without padding", whole+other, license.SeveralKeys,
			&client{"enterprise", []string{"license", "governance"}}),
		unreadableText("two keys on two lines", padded+"\n"+other, license.SeveralKeys, read),
		unreadableText("the same key twice", padded+padded, license.SeveralKeys, read),
		unreadableText("format 2", base.replaced("Format=1", "Format=2").text(production1), license.UnknownFormat,
			read),
		unreadableText("format 10", base.replaced("Format=1", "Format=10").text(production1), license.UnknownFormat,
			read),
		unreadableText("lines that end with CR LF",
			lines(strings.ReplaceAll(string(base), "\n", "\r\n")).text(production1),
			license.UnknownFormat, read),
	}
}

// wrong returns signed keys that are not exactly in the format.
func wrong() []vector {
	r, s := signature(production1, license.Domain+string(base))
	signature := rawSignature(r, s)
	with := func(name string, l lines) vector {
		return unreadableText(name, l.text(production1), license.WrongFormat, base.client())
	}
	signed := func(name, signature string) vector {
		return unreadableText(name, encode(string(base)+"Signature="+signature+"\n"), license.WrongFormat,
			base.client())
	}
	reads := func(v vector, edition string, plugins ...string) vector {
		v.Client = nil
		if edition != "" {
			v.Client = &client{edition, plugins}
		}
		return v
	}
	vectors := []vector{
		with("spaces around =", base.replaced("Type=", "Type = ")),
		with("colon for =", base.replaced("Type=", "Type:")),
		with("space before a name", base.replaced("\nType", "\n Type")),
		with("space behind a value", base.replaced("PRODUCTION\n", "PRODUCTION \n")),
		with("blank line", base.replaced("\nType", "\n\nType")),
		with("comment", base.replaced("\nType", "\n#\nType")),
		with("line that is continued", base.replaced("Acme AG", "Acme\\\n AG")),
		with("two properties in another order",
			base.replaced("Support=true\nNotBefore=2018-03-01\n", "NotBefore=2018-03-01\nSupport=true\n")),
		with("property twice", base.replaced("MaxLoc=5000000\n", "MaxLoc=5000000\nMaxLoc=5000000\n")),
		with("property twice, with two values", base.replaced("MaxLoc=5000000\n", "MaxLoc=5000000\nMaxLoc=9000000\n")),
		with("property that the format does not have", base+"Sales=Ada\n"),
		with("property without a value", base.with("Languages", "")),
		with("name in lower case", base.replaced("Type=", "type=")),
		with("escape in lower case", base.with("Organization", `Zo\u00eb`)),
		with("escape that is not needed", base.with("Organization", `\u0041cme AG`)),
		with("short escape", base.with("Organization", `Acme\tAG`)),
		with("backslash that escapes nothing", base.with("Organization", `A\cme AG`)),
		with("UTF-8 that is not escaped", base.with("Organization", "Zoë")),
		with("control character that is not escaped", base.with("Organization", "Acme\x00AG")),
		with("half of a character outside the basic plane", base.with("Organization", `Acme \uD83E AG`)),
		with("its other half", base.with("Organization", `Acme \uDD8A AG`)),
		reads(with("malformed escape", base.with("Organization", `C:\users`)), ""),
		with("type in lower case", base.with("Type", "production")),
		with("type that does not exist", base.with("Type", "PERPETUAL")),
		reads(with("edition that does not exist", base.with("Edition", "professional")), "professional",
			base.client().Plugins...),
		reads(with("edition in upper case", base.with("Edition", "Developer")), "Developer", base.client().Plugins...),
		with("server ID of 16 characters", base.with("Server", "AWHW8w9JtzBzSrmf")),
		with("server ID with a prefix in lower case", base.with("Server", "0a1b2c3d-AWHW8w9JtzBzSrmf9GQX")),
		with("ID with a space", base.with("Id", "01cdk 5zy3")),
		with("Kid of 65 characters", base.with("Kid", strings.Repeat("k", 65))),
		reads(with("space behind a comma", base.with("Plugins", "license, cpp")), "developer", "license", " cpp"),
		reads(with("comma at the end", base.with("Plugins", "license,cpp,")), "developer", "license", "cpp"),
		reads(with("plugin twice", base.with("Plugins", "license,cpp,cpp")), "developer", "license", "cpp"),
		with("language twice", base.with("Languages", "cobol,cobol")),
		with("no lines of code", base.with("MaxLoc", "0")),
		with("negative lines of code", base.with("MaxLoc", "-1")),
		with("lines of code with a sign", base.with("MaxLoc", "+5000000")),
		with("lines of code with a zero before", base.with("MaxLoc", "05000000")),
		with("lines of code with separators", base.with("MaxLoc", "5'000'000")),
		with("lines of code beyond 64 bits", base.with("MaxLoc", "9223372036854775808")),
		with("support in other words", base.with("Support", "yes")),
		with("support in upper case", base.with("Support", "TRUE")),
		with("day that does not exist", base.with("Expiration", "2019-02-29")),
		with("day in another form", base.with("Expiration", "28 Feb 2019")),
		with("day with a time", base.with("Expiration", "2019-02-28T00:00:00Z")),
		signed("signature with padding", signature+"=="),
		signed("signature of 63 bytes", signature[:84]),
		signed("signature of 66 bytes", signature+"AA"),
		signed("signature with bits behind its end", signature[:85]+string(signature[85]+1)),
		signed("signature in the alphabet of base64", "+"+signature[1:]),
		signed("signature in DER", encode(strings.Repeat("0", 70))),
		signed("no signature", ""),
	}
	for _, name := range []string{"Kid", "Id", "Type", "Organization", "Server", "MaxLoc", "Support", "Expiration",
		"Issued"} {
		vectors = append(vectors, with("no "+name, base.without(name)))
	}
	return append(vectors,
		reads(with("no Edition", base.without("Edition")), ""),
		reads(with("no Plugins", base.without("Plugins")), ""))
}

// mangled returns keys as emails deliver them (client-contract.md §5). A strict reader can read none of them.
func mangled() []vector {
	l := base.with("Organization", "Acme AG ~~~???>>>") // gives + and / in base64
	for len(l.raw(production1))%3 != 1 {
		l = l.replaced("Acme", "Acmee")
	}
	key := l.text(production1) // ends with ==
	wrapped := wrap(key, 64, "\r\n")
	other := base.with("Edition", "enterprise").with("Plugins", "license,governance").text(production1)
	mangling := func(name, text string, reason license.Code, c *client, undone ...string) vector {
		v := unreadableText(name, text, reason, c)
		v.Unmangle = &unmangled{key, undone, []license.Code{}}
		return v
	}
	read := l.client()
	page, err := json.Marshal(key) // as in a page's source: > and & are escaped, a key has neither
	if err != nil {
		panic(err)
	}
	return []vector{
		mangling("wrapped", wrapped, license.NotBase64, read, "line-breaks"),
		mangling("wrapped, with spaces before each line", wrap(key, 60, "\n    "), license.NotBase64, read,
			"line-breaks", "spaces"),
		mangling("spaces inside", wrap(key, 50, " "), license.NotBase64, read, "spaces"),
		mangling("spaces that do not break, and without width", wrap(key, 50, "\u00a0\u200b"), license.NotBase64, read,
			"spaces"),
		mangling("byte-order mark before", "\ufeff"+key, license.NotBase64, read, "spaces"),
		mangling("quoted", "> "+wrap(key, 64, "\n> "), license.NotBase64, read, "line-breaks", "spaces", "quoting"),
		mangling("quoted three times", ">>> "+wrap(key, 64, "\r\n>>> "), license.NotBase64, read, "line-breaks",
			"spaces", "quoting"),
		mangling("in quotation marks", `"`+key+`"`, license.NotBase64, read, "surrounding-text"),
		mangling("in a string of JSON, with a comma", string(page)+",", license.NotBase64, read, "surrounding-text"),
		mangling("in typographic quotation marks", "\u201c"+key+"\u201d", license.NotBase64, read, "surrounding-text"),
		mangling("in angle brackets", "<"+key+">", license.NotBase64, read, "surrounding-text"),
		mangling("quoted-printable", strings.ReplaceAll(wrapQuoted(key), "\x00", "=\r\n"), license.NotBase64, nil,
			"quoted-printable"),
		mangling("quoted-printable whose line ends were lost",
			strings.TrimRight(strings.ReplaceAll(wrapQuoted(strings.TrimRight(key, "=")), "\x00", "="), "="),
			license.NotBase64, nil, "quoted-printable", "padding"),
		mangling("quoted-printable with a line end in the plugins", key[:256]+"=\n"+key[256:], license.NotBase64,
			l.cut(256), "quoted-printable"),
		mangling("HTML tags", "<p>"+wrap(key, 70, "<br>\n")+"</p>", license.NotBase64, nil, "line-breaks", "html"),
		mangling("HTML character references", strings.ReplaceAll(key, "=", "&#61;"), license.NotBase64, read, "html"),
		mangling("URL-safe alphabet", strings.NewReplacer("+", "-", "/", "_").Replace(key), license.NotBase64, read,
			"url-safe"),
		mangling("padding lost", strings.TrimRight(key, "="), license.Truncated, read, "padding"),
		mangling("text behind the padding", key+"\n\nKind regards", license.TextAfterKey, read, "surrounding-text"),
		mangling("padding lost, text behind", strings.TrimRight(key, "=")+" Kind regards", license.NotBase64, read,
			"surrounding-text", "padding"),
		mangling("label", "Key: "+key, license.NotBase64, nil, "surrounding-text"),
		mangling("PEM armour", "-----BEGIN LICENSE-----\n"+wrapped+"\n-----END LICENSE-----\n", license.NotBase64, nil,
			"surrounding-text", "line-breaks"),
		mangling("a whole mail, forwarded",
			"Hello,\n\nhere is the key (it begins with Rm9ybWF0P):\n\n> "+wrap(key, 76, "\n> ")+"\n\n-- \nAda\n",
			license.NotBase64, nil,
			"surrounding-text", "line-breaks", "spaces", "quoting"),
		mangling("a hyphen at a line's end", key[:120]+"-\n"+key[120:], license.NotBase64, nil, "line-breaks",
			"line-marks"),
		mangling("a dash at each line's end", wrap(key, 64, "\u2013\r\n"), license.NotBase64, read, "line-breaks",
			"line-marks"),
		mangling("exclamation marks of an old relay", wrap(key, 200, "!\n "), license.NotBase64, read, "line-breaks",
			"spaces", "line-marks"),
		mangling("line ends as two characters", wrap(key, 76, `\n`), license.NotBase64, nil, "line-marks"),
		mangling("a list of lines", "\u2022 "+wrap(key, 64, "\n\u2022 "), license.NotBase64, read, "line-breaks",
			"spaces", "line-marks"),
		mangling("base64 once more", encode(key), license.WrongFormat, nil, "packed"),
		mangling("a mail saved as a file", email(key), license.NotBase64, nil, "line-breaks", "packed"),
		{
			Name:     "its end is missing, text behind",
			Text:     key[:400] + "\n\nBest regards,\nAna",
			Instance: matchingInstance(),
			Reasons:  []license.Code{license.NotBase64},
			Client:   read,
			Unmangle: &unmangled{key[:400] + "Bestregards", []string{"surrounding-text", "line-breaks", "spaces"},
				[]license.Code{license.Truncated}},
		},
		mangling("the same key twice, a line each", key+"\n"+key+"\n", license.SeveralKeys, read, "surrounding-text",
			"repeated"),
		{Name: "two keys in a mail", Text: "Old: " + key + "\nNew: " + other, Instance: matchingInstance(),
			Reasons:  []license.Code{license.NotBase64},
			Unmangle: &unmangled{key + other, []string{"surrounding-text"}, []license.Code{license.SeveralKeys}}},
		{Name: "wrapped, and its end is missing", Text: wrapped[:300], Instance: matchingInstance(),
			Reasons: []license.Code{license.NotBase64}, Client: l.cut(292),
			Unmangle: &unmangled{strings.ReplaceAll(wrapped[:300], "\r\n", ""), []string{"line-breaks"},
				[]license.Code{license.Truncated}}},
	}
}

// email is a mail as programs save it, with the key in an attachment.
func email(key string) string {
	return "From: Licensing <licensing@vendor.example>\r\nTo: ana@customer.example\r\nSubject: Your key\r\n" +
		"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" +
		"--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe key is attached.\r\n" +
		"--x\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=license.txt\r\n" +
		"Content-Transfer-Encoding: base64\r\n\r\n" + wrap(encode(wrap(key, 70, "\n")), 76, "\r\n") + "\r\n--x--\r\n"
}

func wrap(s string, width int, by string) string {
	var out strings.Builder
	for ; len(s) > width; s = s[width:] {
		out.WriteString(s[:width] + by)
	}
	return out.String() + s
}

// cut returns what the open-source server reads from the first characters of the key.
func (l lines) cut(characters int) *client { return l[:characters*3/4].client() }

// wrapQuoted returns s in quoted-printable, with a NUL for each soft line break.
func wrapQuoted(s string) string { return strings.ReplaceAll(wrap(s, 75, "\x00"), "=", "=3D") }
