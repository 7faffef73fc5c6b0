package license

import (
	"slices"
	"strconv"
	"strings"
)

// Code names a Reason permanently: programs and the test vectors use it, so it never changes its meaning.
type Code string

// Codes of an invalid key. The first seven are for texts that cannot be read; such a key has only that reason.
const (
	Empty         Code = "empty"
	NotBase64     Code = "not-base64"     // characters that base64 does not have, or a "=" inside
	Truncated     Code = "truncated"      // the end is missing
	TextAfterKey  Code = "text-after-key" // a whole key, then something else
	SeveralKeys   Code = "several-keys"
	UnknownFormat Code = "unknown-format" // a first line "Format=" with another number
	WrongFormat   Code = "wrong-format"   // not the output of Canonical

	UnknownKid       Code = "unknown-kid"
	BadSignature     Code = "bad-signature"
	TypeNotAllowed   Code = "type-not-allowed" // the Kid may not sign this type
	KidOutOfUse      Code = "kid-out-of-use"   // the Kid may not sign on the day of Issued
	TermTooLong      Code = "term-too-long"    // the Kid signs only bridge keys, which are for fewer days
	WrongServer      Code = "wrong-server"
	NewAddress       Code = "new-address" // same data, new database address
	NotYetValid      Code = "not-yet-valid"
	Expired          Code = "expired"
	LocExceeded      Code = "loc-exceeded"
	PluginNotCovered Code = "plugin-not-covered"
	WrongEdition     Code = "wrong-edition"
)

// Codes of warnings.
const (
	ServerUpgraded   Code = "server-upgraded"    // the server ID got its prefix after the key was issued
	BridgeKey        Code = "bridge-key"         // valid for a few days, until a replacement comes
	ExpiresSoon      Code = "expires-soon"       // within WarnDays; not of a bridge key
	LocNearlyReached Code = "loc-nearly-reached" // above nine tenths of MaxLoc
)

// Reason says why a key is invalid, or is a warning. It is an error.
type Reason struct {
	Code     Code   `json:"code"`
	Sentence string `json:"sentence"`          // what is wrong, for a person
	Remedy   string `json:"remedy"`            // what to do next, for a person
	Request  string `json:"request,omitempty"` // kind of license request that solves it (shared/request.Kinds)
}

func (r Reason) Error() string { return string(r.Code) + ": " + r.Sentence }

// Unreadable reports whether c is of a key that cannot be read.
func (c Code) Unreadable() bool {
	i := slices.Index(Codes(), c)
	return i >= 0 && i <= slices.Index(Codes(), WrongFormat)
}

// Warning reports whether c is a warning.
func (c Code) Warning() bool {
	return slices.Index(Codes(), c) >= slices.Index(Codes(), ServerUpgraded)
}

// Codes lists every code in the order of the checks.
func Codes() []Code {
	var codes []Code
	for _, w := range wordings {
		codes = append(codes, w.code)
	}
	return codes
}

const copyAgain = "Copy the whole key again from our email, or use the attached file."

// wordings holds the texts for people. newReason replaces $1 and $2 with its arguments.
var wordings = []struct {
	code             Code
	sentence, remedy string
	request          string
}{
	{
		Empty, "Enter the license key.",
		"Copy it from our email: it is one long line that begins with " + keyStart + ".", "",
	},
	{
		NotBase64, "The key contains characters that do not belong to it, such as line breaks, " +
			"spaces or other text from an email.",
		copyAgain, "",
	},
	{Truncated, "The end of the key is missing.", copyAgain, ""},
	{TextAfterKey, "There is other text after the key.", "Remove the text after the key.", ""},
	{SeveralKeys, "There is more than one key.", "Paste only the key for this server.", ""},
	{UnknownFormat, "The key has a newer format.", "Update the license plugin, then install the key again.", ""},
	{
		WrongFormat, "This does not look like one of our license keys: $1.",
		copyAgain + " If that does not help, ask us for a replacement.", "replacement",
	},
	{
		UnknownKid, "The key was signed with $1, which is unknown here.",
		"Update the license plugin: newer versions know newer signatures. " +
			"If the latest version does not help, ask us for a replacement.", "replacement",
	},
	{
		BadSignature, "The signature is invalid: the key was altered, or we did not issue it.",
		copyAgain + " If that does not help, ask us for a replacement.", "replacement",
	},
	{
		TypeNotAllowed, "The key was signed with $1, which may not sign $2 licenses.",
		"Ask us for a replacement.", "replacement",
	},
	{
		KidOutOfUse, "The key was signed with $1, which was not in use on $2.",
		"Ask us for a replacement.", "replacement",
	},
	{
		TermTooLong, "The key was signed with $1, which signs only keys that are valid for $2 days or fewer.",
		"Ask us for a replacement.", "replacement",
	},
	{
		WrongServer, "The key is for server $1, but this server is $2.",
		"Install it on the server that it is for, or ask us for a key for this server.", "replacement",
	},
	{
		NewAddress, "The key is for server $1. This server, $2, has the same data at another database address.",
		"If the database has moved permanently, ask us for a replacement. If this server is a copy, " +
			"it needs its own staging key.", "replacement",
	},
	{
		NotYetValid, "The key is not valid before $1.",
		"Keep the previous key until then, and check the server's clock.", "",
	},
	{
		Expired, "The key has expired: its last day was $1 (UTC).",
		"Ask us for $2, then install the new key.", "renewal",
	},
	{
		LocExceeded, "The server has $1 lines of code, but the key covers $2.",
		"Remove projects that you no longer need, or ask us for more lines of code.", "upgrade",
	},
	{
		PluginNotCovered, "The key does not cover these installed plugins: $1.",
		"Please uninstall $1, or ask us for a license that covers this.", "upgrade",
	},
	{
		WrongEdition, "The key is for the $1, but the server has the $2.",
		"Install the $1 package, or ask us for a license for the $2.", "upgrade",
	},
	{
		ServerUpgraded, "The server ID was $1 when we issued the key. It has been $2 since an upgrade.",
		"The key remains valid. Use the new ID when you renew it.", "",
	},
	{
		BridgeKey, "This is a bridge key. It is valid through $1 (UTC).",
		"We are preparing the key that replaces it. Install that key when our email arrives.", "",
	},
	{ExpiresSoon, "The key is valid through $1 (UTC).", "Ask us for $2 before then.", "renewal"},
	{
		LocNearlyReached, "The server has $1 of the $2 lines of code that the key covers.",
		"Ask us for more lines of code before you reach the limit.", "upgrade",
	},
}

func newReason(code Code, args ...string) Reason {
	var places []string
	for i, arg := range args {
		places = append(places, "$"+strconv.Itoa(i+1), arg)
	}
	fill := strings.NewReplacer(places...)
	for _, w := range wordings {
		if w.code == code {
			return Reason{code, fill.Replace(w.sentence), fill.Replace(w.remedy), w.request}
		}
	}
	return Reason{Code: code}
}
