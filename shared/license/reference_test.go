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
		"Our license " + id + " of last year expires.",
	} {
		if got := ReadReference(pasted); len(got.IDs) == 0 || !slices.Contains(got.IDs, id) || len(got.Servers) > 0 {
			t.Errorf("ReadReference(%q) = %+v, want the ID", pasted, got)
		}
	}
	for _, pasted := range []string{
		server, server + ".", "Server ID: " + server, "“" + server + "”", "AWHW8w9J\u200btzBzSrmf\u00ad9GQX", "\ufeff" + server + "\u2069",
		"server " + server + ", lost", "`" + server + "`",
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

func TestReadReferenceNamesFewThings(t *testing.T) {
	long := strings.Repeat("01c6x2m4vj8q0n5r7t9w3y1z2b AWHW8w9JtzBzSrmf9GQX 20170305093000 ", 1000)
	for _, pasted := range []string{long, strings.ReplaceAll(long, " ", "."), strings.Repeat("Rm9ybWF0PTEK; ", 4000),
		strings.Repeat("C-7K3Q9F K-01ABCD R-01ABCD C-01ABCD K-7K3Q9F ", 1000)} {
		got := ReadReference(pasted)
		if len(got.IDs) > maxNamed || len(got.Servers) > maxNamed || len(got.Short) > maxNamed {
			t.Errorf("got %+v, want at most %d of each", got, maxNamed)
		}
	}
}
