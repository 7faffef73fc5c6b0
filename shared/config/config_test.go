package config

import (
	"bytes"
	"net/mail"
	"reflect"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"marketplace/shared/brand"
	"marketplace/shared/officehours"
)

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestLoadReadsEveryVariable(t *testing.T) {
	c, err := Load(env("STAGE", "production",
		"SITE_URL", "https://licenses.example.com/", "PACKAGES_URL", "https://cdn.example.com/p/", "TABLE_NAME", " t\n",
		"BUNDLE_URL", "https://cdn.example.com/p/catalog/bundle.bin",
		"DYNAMODB_ENDPOINT", "http://127.0.0.1:8000", "SES_ENDPOINT", "http://127.0.0.1:5000", "SES_CONFIGURATION_SET", "set",
		"MAIL_FROM", "Licensing <licensing@example.com>", "SALES_EMAIL", "sales@example.com",
		"LICENSE_KEYS", `{"keys":[]}`, "LICENSE_SIGNERS", "k=arn", "PACKAGES_BUCKET", "b", "OIDC_ISSUER", "https://id.example.com/pool/",
		"OIDC_CLIENT_ID", "c", "OIDC_CLIENT_SECRET", "s",
		"ORIGIN_KEYS", strings.Repeat("0", 64)+","+strings.Repeat("0a", 32),
		"SESSION_KEYS", "k1,k2", "HASH_KEY", "k3,k4", "CONSOLE_SECRET", "arn:s", "HASH_SECRET", "arn:h",
		"ACCOUNT_KEYS", "k5", "ACCOUNT_SECRET", "arn:a", "BRIDGE_SIGNERS", "b=arn",
		"VENDOR_NAME", "Acme", "PRODUCT_NAME", "Acme Scan", "LOGO_URL", "https://cdn.example.com/logo.svg",
		"BRAND_COLOR", "#7a1f5c", "SUPPORT_EMAIL", "help@example.com", "SUPPORT_URL", "https://help.example.com",
		"TERMS_URL", "https://example.com/terms",
		"TIME_ZONE", "Europe/Zurich", "OFFICE_HOURS", "Mon-Thu 08:00-17:00", "HOLIDAYS", "12-24..12-31"))
	want := Config{
		Stage: "production", SiteURL: "https://licenses.example.com", PackagesURL: "https://cdn.example.com/p", TableName: "t",
		BundleURL:        "https://cdn.example.com/p/catalog/bundle.bin",
		DynamoDBEndpoint: "http://127.0.0.1:8000", SESEndpoint: "http://127.0.0.1:5000", SESConfigurationSet: "set",
		MailFrom:    mail.Address{Name: "Licensing", Address: "licensing@example.com"},
		SalesEmail:  mail.Address{Address: "sales@example.com"},
		LicenseKeys: `{"keys":[]}`, LicenseSigners: "k=arn", PackagesBucket: "b", OIDCIssuer: "https://id.example.com/pool/",
		OriginKeys:   [][32]byte{{}, [32]byte(bytes.Repeat([]byte{10}, 32))},
		OIDCClientID: "c", OIDCClientSecret: "s", SessionKeys: "k1,k2", HashKey: "k3,k4",
		AccountKeys: "k5", AccountSecret: "arn:a", BridgeSigners: "b=arn",
		ConsoleSecret: "arn:s", HashSecret: "arn:h", Hours: c.Hours,
		Brand: brand.Brand{
			Vendor: "Acme", Product: "Acme Scan", LogoURL: "https://cdn.example.com/logo.svg",
			Color: brand.Color{R: 0x7a, G: 0x1f, B: 0x5c}, SupportEmail: "help@example.com",
			SupportURL: "https://help.example.com", TermsURL: "https://example.com/terms",
		},
	}
	received := time.Date(2026, time.December, 23, 7, 0, 0, 0, time.UTC)
	due := time.Date(2027, time.January, 4, 7, 0, 0, 0, time.UTC)
	if got := c.Hours.Due(received); !got.Equal(due) || c.Hours.Zone().String() != "Europe/Zurich" {
		t.Errorf("got due at %v in %v, want %v in Europe/Zurich", got, c.Hours.Zone(), due)
	}
	if err != nil || !reflect.DeepEqual(c, want) {
		t.Errorf("got %+v, %v; want %+v", c, err, want)
	}
}

func TestLoadNamesAnInvalidOrMissingVariable(t *testing.T) {
	for _, tt := range []struct {
		name   string
		env    func(string) string
		needed []string
		want   string
	}{
		{"missing", env(), []string{"TABLE_NAME"}, "TABLE_NAME is not set"},
		{"not absolute", env("SITE_URL", "licenses.example.com"), nil, "SITE_URL"},
		{"with a query", env("SITE_URL", "https://a.example/?x=1"), nil, "SITE_URL"},
		{"not encrypted", env("BUNDLE_URL", "http://cdn.example.com/bundle.bin"), nil, "BUNDLE_URL"},
		{"not encrypted, to a host that resembles localhost", env("BUNDLE_URL", "http://localhost.example.com/bundle.bin"), nil, "BUNDLE_URL"},
		{"invalid JSON", env("LICENSE_KEYS", "{"), nil, "LICENSE_KEYS"},
		{"neither JSON nor compact", env("LICENSE_KEYS", `"e-1:EVALUATION:::A"`), nil, "LICENSE_KEYS"},
		{"half a hash", env("ORIGIN_KEYS", strings.Repeat("0", 32)), nil, "ORIGIN_KEYS"},
		{"one and a half hashes", env("ORIGIN_KEYS", strings.Repeat("0", 96)), nil, "ORIGIN_KEYS"},
		{"not a hash", env("ORIGIN_KEYS", strings.Repeat("x", 64)), nil, "ORIGIN_KEYS"},
		{"not a stage", env("STAGE", "Production"), nil, "STAGE"},
		{"unknown time zone", env("TIME_ZONE", "Europe/Zürich"), nil, `TIME_ZONE="Europe/Zürich": unknown time zone`},
		{"never open", env("OFFICE_HOURS", "Mon-Fri 17:00-09:00"), nil, "OFFICE_HOURS"},
		{"closed for a year", env("HOLIDAYS", "2026-12-24..2027-12-01"), nil, "HOLIDAYS"},
		{"a color that nobody can read", env("BRAND_COLOR", "#ffee00"), nil, "BRAND_COLOR"},
		{"a logo without encryption", env("LOGO_URL", "http://cdn.example.com/logo.svg"), nil, "LOGO_URL"},
		{"a name with a tag", env("PRODUCT_NAME", "<b>"), nil, "PRODUCT_NAME"},
		{"invalid address", env("MAIL_FROM", "nobody"), nil, "MAIL_FROM"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Load(tt.env, tt.needed...); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got the error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestOfficeHoursAreTheUsualOnesByDefault(t *testing.T) {
	c, err := Load(env())
	now := time.Date(2026, time.November, 30, 12, 0, 0, 0, time.UTC)
	if got, want := c.Hours.Week(now), (officehours.Hours{}).Week(now); err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestLoadAllowsPlainHTTPOnThisMachine(t *testing.T) {
	for _, address := range []string{"http://localhost:9000/bundle.bin", "http://127.0.0.1:9000/b", "http://[::1]/b", "https://cdn.example.com/b"} {
		if c, err := Load(env("BUNDLE_URL", address)); err != nil || c.BundleURL != address {
			t.Errorf("%s: got %+v, %v", address, c, err)
		}
	}
}
