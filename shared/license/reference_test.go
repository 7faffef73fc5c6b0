package license

import (
	"slices"
	"strings"
	"testing"

	"marketplace/shared/reference"
)

func TestReadReferenceFindsWhatCustomersPaste(t *testing.T) {
	const id, server = "01c6x2m4vj8q0n5r7t9w3y1z2b", "AWHW8w9JtzBzSrmf9GQX"
	for _, pasted := range []string{
		id, id + ".", " " + id + "\n", `"` + id + `"`, "“" + id + ".”", "#" + id, "license " + id, "License ID: " + id + ",",
		"license #" + id, "(" + id + ")", "<" + id + ">", "\u202a" + id[:10] + "\u200b" + id[10:] + "\u202c", "Reference: " + id + "!",
		"https://licenses.example.com/console/licenses/" + id, "https://licenses.example.com/requests/" + id + "?x=1",
		"Our license " + id + " of last year expires.", "License-ID:" + id, "licenseId=" + id + "&x=1", "**" + id + "**",
		"‘" + id + "’", "«" + id + "»", "„" + id + "“", "license\u00a0" + id, "previous license " + id + "\u2026",
	} {
		if got := ReadReference(pasted); len(got.IDs) == 0 || !slices.Contains(got.IDs, id) || len(got.Servers) > 0 {
			t.Errorf("ReadReference(%q) = %+v, want the ID", pasted, got)
		}
	}
	for _, pasted := range []string{
		server, server + ".", "Server ID: " + server, "“" + server + "”", "AWHW8w9J\u200btzBzSrmf\u00ad9GQX", "\ufeff" + server + "\u2069",
		"server " + server + ", lost", "`" + server + "`", "Server-ID " + server, "old server: " + server,
	} {
		if got := ReadReference(pasted); !slices.Equal(got.Servers, []Server{server}) {
			t.Errorf("ReadReference(%q) = %+v, want the server", pasted, got)
		}
	}
	for _, pasted := range []string{"-WHW8w9JtzBzSrmf9GQ_", "1234ABCD-AWHW8w9JtzBzSrmf9GQX", "20170305093000", "1a2b3c4d5e6f708"} {
		if got := ReadReference("server: " + pasted + "."); len(got.Servers) == 0 || got.Servers[0] != Server(pasted) {
			t.Errorf("ReadReference(%q) = %+v, want the server", pasted, got)
		}
	}
	// Mail programs make dashes of hyphens.
	for _, pasted := range []string{"1234ABCD\u2011AWHW8w9JtzBzSrmf9GQX", "server 1234ABCD\u2013AWHW8w9JtzBzSrmf9GQX."} {
		if got := ReadReference(pasted); len(got.Servers) == 0 || got.Servers[0] != "1234ABCD-AWHW8w9JtzBzSrmf9GQX" {
			t.Errorf("ReadReference(%q) = %+v, want the server with its prefix", pasted, got)
		}
	}
	const retyped = "LICENSE-ID-OF-AN-ENTERPRISE-LICENSE"
	for _, pasted := range []string{retyped + ".", "“" + retyped + "”", "License ID: " + retyped + ".", "Server-ID AbcdEfghIjklMnopQrst"} {
		want := strings.Trim(pasted[strings.LastIndex(pasted, " ")+1:], ".“”")
		if got := ReadReference(pasted); !slices.Contains(got.IDs, want) || !got.Alone {
			t.Errorf("ReadReference(%q) = %+v, want %s alone", pasted, got, want)
		}
	}
	if got := ReadReference("#l1."); !slices.Equal(got.IDs, []string{"l1.", "l1"}) {
		t.Errorf("got %+v, want a short ID", got)
	}
	for _, none := range []string{"", "\u200b", "Example AG", "Acme 2000 GmbH", "Müller & Söhne", "ana@customer.example", "“…”"} {
		if got := ReadReference(none); len(got.Servers) > 0 || len(got.IDs) > 0 && strings.Contains(none, " ") {
			t.Errorf("ReadReference(%q) = %+v, want nothing", none, got)
		}
	}
}

func TestReadReferenceFindsShortReferences(t *testing.T) {
	const customer, contract = "C-7K3Q9F", "K-01ABCD"
	for _, pasted := range []string{
		"C-7K3Q9F", "c-7k3q9f.", "c7k3q9f", "customer C-7K3Q9F", "Customer: c7k3q9f.", "our customer no. C 7K3Q9F,", "“C\u20117K3Q9F”",
		"Order #C-7K3Q9F", "Re: [C-7K3Q9F] your license", "Please see C\u20137K3Q9F of last year.", "C-7K3\u200bQ9F", "customer C 7K3 Q9F",
		"https://licenses.example.com/console/customers/C-7K3Q9F?tab=1",
	} {
		if got := ReadReference(pasted); !slices.Equal(got.Short, []reference.Reference{customer}) {
			t.Errorf("ReadReference(%q) = %+v, want the customer", pasted, got)
		}
	}
	got := ReadReference("Contract K-O1ABCD of customer C-7K3Q9F, license 01c6x2m4vj8q0n5r7t9w3y1z2b.")
	if !slices.Equal(got.Short, []reference.Reference{contract, customer}) ||
		!slices.Contains(got.IDs, "01c6x2m4vj8q0n5r7t9w3y1z2b") {
		t.Errorf("got %+v, want the contract, the customer and the license", got)
	}
	for _, none := range []string{
		"", "please replace the kitchen", "we receive the renewal", "license 01c6x2m4vj8q0n5r7t9w3y1z2b",
		"Server ID: AWHW8w9JtzBzSrmf9GQX", "Acme 2000 GmbH", "K-7K3Q9", "C-7K3Q9FA of ours",
	} {
		if got := ReadReference(none); len(got.Short) > 0 {
			t.Errorf("ReadReference(%q) = %+v, want no short reference", none, got)
		}
	}
}

func TestReadReferenceReadsAKey(t *testing.T) {
	key, _ := signed(t, sample())
	k := sample()
	half := 0
	for n := range key { // cut off anywhere behind the server
		if strings.Contains(string(decode(key[:n])), "\nServer="+string(k.Server)+"\n") {
			half = n
			break
		}
	}
	for name, pasted := range map[string]string{
		"whole": key, "in a mail": "Hello,\n> " + key[:60] + "\n> " + key[60:] + "\nKind regards", "cut off": key[:half],
		"a character lost behind": key[:half+40] + key[half+41:], "on one line": key[:60] + " " + key[60:], "blanks": "\ufeff " + key,
	} {
		got := ReadReference(pasted)
		if !slices.Equal(got.IDs, []string{k.ID}) || !slices.Equal(got.Servers, []Server{k.Server}) {
			t.Errorf("%s: got %+v, want %s and %s", name, got, k.ID, k.Server)
		}
	}
}

func TestDamagedKeyNamesNothing(t *testing.T) {
	key, _ := signed(t, sample())
	for n := 1; n < 40; n += 13 { // its beginning is lost
		for _, width := range []int{64, 76, 1000} {
			var lines []string
			for rest := key[n:]; rest != ""; rest = rest[min(width, len(rest)):] {
				lines = append(lines, rest[:min(width, len(rest))])
			}
			remains := strings.Join(lines, "\n")
			if got := ReadReference(remains).Text(); got != "" {
				t.Errorf("without %d characters, in lines of %d: got %q, want nothing", n, width, got)
			}
			const id = "01c6x2m4vj8q0n5r7t9w3y1z2b"
			if got := ReadReference("License " + id + "\n" + remains).Text(); got != id {
				t.Errorf("without %d characters, in lines of %d: got %q, want the ID above it", n, width, got)
			}
		}
	}
}

func TestTextOfReferenceReadsAgain(t *testing.T) {
	const id, server = "01c6x2m4vj8q0n5r7t9w3y1z2b", "1234ABCD-AWHW8w9JtzBzSrmf9GQX"
	key, _ := signed(t, sample())
	for pasted, want := range map[string]string{
		"": "", "Hello, we lost our key": "", id + ".": id, "l1": "l1", key: sample().ID,
		"Server ID: " + server + ", of our license “" + id + "” from sonar-prod-01.internal.example": id + " " + server,
		"Our server is " + server + " at present.":                                                   server,
		"order of C-7K3Q9F for " + id:                                                                id + " C-7K3Q9F",
		"the key 2017-000123-EXAMPLE, not 2018-000123-EXAMPLE.":                                      "2017-000123-EXAMPLE",
		strings.Repeat(server+" ", 3) + " 0A1B2C3D-AWHW8w9JtzBzSrmf9NEW 20170305093000":              server + " 0A1B2C3D-AWHW8w9JtzBzSrmf9NEW",
	} {
		named := ReadReference(pasted)
		text := named.Text()
		if again := ReadReference(text).Text(); text != want || again != want {
			t.Errorf("%.80q: got %q, read again %q, want %q: %+v", pasted, text, again, want, named)
		}
	}
}

func TestReadReferenceNamesFewThings(t *testing.T) {
	long := strings.Repeat("01c6x2m4vj8q0n5r7t9w3y1z2b AWHW8w9JtzBzSrmf9GQX 20170305093000 ", 1000)
	for _, pasted := range []string{long, strings.ReplaceAll(long, " ", "."), strings.Repeat("Rm9ybWF0PTEK; ", 4000),
		strings.Repeat("C-7K3Q9F K-01ABCD R-01ABCD C-01ABCD K-7K3Q9F ", 1000)} {
		got := ReadReference(pasted)
		if len(got.IDs) > maxNamed || len(got.Servers) > maxNamed || len(got.Short) > maxNamed {
			t.Errorf("got %+v, want at most %d of each", got, maxNamed)
		}
		if text := got.Text(); len(text) > maxID {
			t.Errorf("got the text %q, want at most %d characters", text, maxID)
		}
	}
}
