package license_test

import (
	"crypto"
	"fmt"
	"time"

	"marketplace/shared/license"
)

// A key is issued, then evaluated for the server that it is for, for another one, and after its last day.
func Example() {
	signer, err := license.GenerateSigner()
	if err != nil {
		fmt.Println(err)
		return
	}
	issuer := license.Issuer{
		Keys: license.KeySet{{
			Kid: "production-1", Types: []license.Type{license.Production}, Key: &signer.PublicKey,
		}},
		Signers: map[string]crypto.Signer{"production-1": signer},
	}
	text, err := issuer.Issue(license.Key{
		ID: "01cdk5zy3e8wxq9v7m2h4n6p8r", Type: license.Production, Organization: "Acme AG",
		Server: "AWHW8w9JtzBzSrmf9GQX", Edition: license.Developer, Plugins: []string{"license", "developer", "cpp"},
		MaxLoc: 500_000, Issued: license.Date{Year: 2018, Month: time.February, Day: 26},
		Expiration: license.Date{Year: 2019, Month: time.February, Day: 28},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := license.Instance{Server: "AWHW8w9JtzBzSrmf9GQX", Now: time.Date(2018, 6, 1, 0, 0, 0, 0, time.UTC)}
	fmt.Println("valid:", license.Evaluate(text, server, issuer.Keys).Valid())

	server.Server = "AWHW8w9JtzBzSrmf9GQY"
	for _, reason := range license.Evaluate(text, server, issuer.Keys).Reasons {
		fmt.Println(reason.Sentence)
	}

	server = license.Instance{Server: "AWHW8w9JtzBzSrmf9GQX", Now: time.Date(2019, 3, 1, 0, 0, 0, 0, time.UTC)}
	for _, reason := range license.Evaluate(text, server, issuer.Keys).Reasons {
		fmt.Println(reason.Sentence, reason.Remedy)
	}
	// Output:
	// valid: true
	// The key is for server AWHW8w9JtzBzSrmf9GQX, but this server is AWHW8w9JtzBzSrmf9GQY.
	// The key has expired: its last day was 28 Feb 2019 (UTC). Ask us for a renewal, then install the new key.
}

func ExampleParseServer() {
	server, err := license.ParseServer(" 1234ABCD-AWHW8w9JtzBzSrmf9GQX ")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(server, server.Dataset())
	// Output: 1234ABCD-AWHW8w9JtzBzSrmf9GQX AWHW8w9JtzBzSrmf9GQX
}

func ExampleUnmangle() {
	_, undone := license.Unmangle("> Rm9ybWF0PTEKS2lkPXByb2R1Y3Rp\n> b24tMQpJZD0wMWNkazV6eTNl")
	for _, mangling := range undone {
		fmt.Println(mangling.Sentence)
	}
	// Output:
	// Line breaks were removed.
	// Spaces and invisible characters were removed.
	// Quote marks of an email reply, such as >, were removed.
}

func ExampleDate_AddMonths() {
	expiration := license.Date{Year: 2018, Month: time.August, Day: 31}
	fmt.Println(expiration.AddMonths(-2))
	// Output: 2018-06-30
}
