package client_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"marketplace/shared/license/client"
)

const good = "Edition=developer\nPlugins=license,cobol,abap\n"

func encode(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// insert puts s into text after n characters.
func insert(text string, n int, s string) string { return text[:n] + s + text[n:] }

var (
	key = encode(good) // 45 bytes: no padding
	odd = encode("Edition=developer\nPlugins=license,cpp\n#")
)

// texts were each executed with what the server has: commons-codec 1.8, commons-lang 2.6 and the JDK's Properties.
var texts = []struct {
	name    string
	text    string
	edition string // "": invalid
	plugins string // joined by "|"
}{
	{"as made", key, "developer", "license|cobol|abap"},
	{"empty", "", "", ""},
	{"white space around", " \r\n\t" + key + "\n \x00", "developer", "license|cobol|abap"},
	{"wrapped", insert(insert(key, 40, "\r\n"), 20, "\n"), "developer", "license|cobol|abap"},
	{"quoted", "> " + insert(key, 20, "\n> > "), "developer", "license|cobol|abap"},
	{"quotation marks", "\u201c" + key + "\u201d", "developer", "license|cobol|abap"},
	{"spaces that do not break", insert(key, 9, "\u00a0\u200b"), "developer", "license|cobol|abap"},
	{"no padding", strings.TrimRight(odd, "="), "developer", "license|cpp"},
	{"URL-safe alphabet", strings.ReplaceAll(encode("Edition=a\nPlugins=???~~~"), "/", "_"), "a", "???~~~"},
	{"text after the padding", encode("Edition=a\nPlugins=b") + "Kind regards", "a", "b"},
	{"text after a key without padding", key + "Kind regards", "developer", "license|cobol|abap"},
	{"soft break shortens the plugins", insert(key, 44, "=\n"), "developer", "license"},
	{"soft break before the plugins", insert(key, 20, "=\n"), "", ""},
	{"two keys, the first padded", encode("Edition=a\nPlugins=b") + encode("Edition=c\nPlugins=d"), "a", "b"},
	{"two keys, no padding between", key + encode("Edition=c\nPlugins=d"), "c", "d"},
	{"PEM armour", "-----BEGIN LICENSE-----\n" + key + "\n-----END LICENSE-----", "", ""},
	{"label", "Key: " + key, "", ""},
	{"byte-order mark inside", encode("\ufeff" + good), "", ""},
	{"byte-order mark outside", "\ufeff" + key, "developer", "license|cobol|abap"},
	{"the text itself", good, "", ""},
	{"names have their case", encode("edition=a\nplugins=b"), "", ""},
	{"values keep their spaces", encode("Edition=a \nPlugins=cpp, abap "), "a ", "cpp| abap "},
	{"the last duplicate wins", encode("Edition=a\nPlugins=b\nEdition=c\nPlugins=d,e"), "c", "d|e"},
	{"plugins are a set", encode("Edition=a\nPlugins=b,,c,b,"), "a", "b|c"},
	{"no plugin", encode("Edition=a\nPlugins=,,"), "", ""},
	{"plugins missing", encode("Edition=a"), "", ""},
	{"edition missing", encode("Plugins=a"), "", ""},
	{"edition blank", encode("Edition=\\u0020\\u2003\\t\nPlugins=a"), "", ""},
	{"a space that does not break is not blank", encode("Edition=\\u00a0\nPlugins=a"), "\u00a0", "a"},
	{"malformed escape anywhere", encode(good + "Organization=C:\\users"), "", ""},
	{"lone backslash is eaten", encode("Edition=dev\\eloper\nPlugins=c\\pp"), "developer", "cpp"},
	{"other separators", encode("Edition : a\rPlugins b\\\n  ,c"), "a", "b|c"},
	{"malformed UTF-8", encode("Edition=a\xff\nPlugins=\xed\xa0\x80\xe2\x82\xf0\x9f"), "a\ufffd", "\ufffd\ufffd\ufffd"},
	{"cut to a third character", encode("Edition=a\nPlugins=bcdefg")[:31], "a", "bcdef"},
	{"cut to a second character", encode("Edition=a\nPlugins=bcdefg")[:30], "a", "bcde"},
	{"cut to a first character", encode("Edition=a\nPlugins=bcdefg")[:29], "a", "bcd"},
}

func TestParseMatchesTheServer(t *testing.T) {
	for _, test := range texts {
		t.Run(test.name, func(t *testing.T) {
			got, ok := client.Parse(test.text)
			if ok != (test.edition != "") {
				t.Fatalf("valid: %v (%+v)", ok, got)
			}
			if plugins := strings.Join(got.Plugins, "|"); got.Edition != test.edition || plugins != test.plugins {
				t.Errorf("got %q, %q; want %q, %q", got.Edition, plugins, test.edition, test.plugins)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(encode(good))
	f.Add("\ufeff> " + encode("Edition=a\\u00e9\nPlugins=\xed\xa0\x80") + "==x")
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := client.Parse(text)
		if ok && (got.Edition == "" || len(got.Plugins) == 0 || slices.Contains(got.Plugins, "")) {
			t.Errorf("%q: %+v is no license", text, got)
		}
	})
}
