// Package config reads the configuration of every program from the environment. A main does it once.
package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"strings"

	"marketplace/shared/brand"
	"marketplace/shared/officehours"
	"marketplace/shared/reminder"
	"marketplace/shared/retention"
)

// Config is the configuration of a program. Variables documents the fields and their defaults.
type Config struct {
	Stage               string
	SiteURL             string
	PackagesURL         string
	BundleURL           string
	OriginKeys          [][sha256.Size]byte
	TableName           string
	DynamoDBEndpoint    string
	SESEndpoint         string
	SESConfigurationSet string
	MailFrom            mail.Address
	SalesEmail          mail.Address
	LicenseKeys         string
	LicenseSigners      string
	BridgeSigners       string
	PackagesBucket      string
	OIDCIssuer          string
	OIDCClientID        string
	OIDCClientSecret    string
	SessionKeys         string
	HashKey             string
	ConsoleSecret       string
	HashSecret          string
	AccountKeys         string
	AccountSecret       string
	PublicMailDomains   []string
	OneOperator         bool
	Reminders           reminder.Policy
	Retention           retention.Policy
	Hours               officehours.Hours
	Brand               brand.Brand
}

// Variable is an environment variable that configures the programs.
type Variable struct {
	Name    string
	Default string // "" means none: a program that needs the variable fails without it
	Doc     string
	set     func(*Config, string) error
}

// Variables lists every variable that Load reads. The table in operations.md is checked against it.
var Variables = []Variable{
	{"STAGE", "local",
		"The stage of the deployment, such as production or test, in small letters, digits and hyphens. Every log " +
			"line and every metric names it.",
		checked(checkStage, func(c *Config, v string) { c.Stage = v })},
	{"SITE_URL", "",
		"The public address of the site, an absolute URL without a trailing slash. Emails, links and the catalog " +
			"use it.",
		checked(checkURL, func(c *Config, v string) { c.SiteURL = strings.TrimSuffix(v, "/") })},
	{"PACKAGES_URL", "", "The address of the package ZIPs on the CDN. Download links redirect to it.",
		checked(checkURL, func(c *Config, v string) { c.PackagesURL = strings.TrimSuffix(v, "/") })},
	{"BUNDLE_URL", "",
		"The address of the published catalog, checked once a minute: https, or http on this machine. Without " +
			"it, the built-in catalog is served.",
		checked(checkSecureURL, func(c *Config, v string) { c.BundleURL = v })},
	{"ORIGIN_KEYS", "",
		"The SHA-256 hashes, in hex and separated by commas, of the keys that the distribution sends in the header " +
			"X-Origin-Key. Any other request is refused; without hashes, none is.",
		func(c *Config, v string) (err error) {
			c.OriginKeys, err = parseHashes(v)
			return err
		}},
	{"TABLE_NAME", "", "The DynamoDB table.",
		unchecked(func(c *Config, v string) { c.TableName = v })},
	{"DYNAMODB_ENDPOINT", "", "The address of a DynamoDB engine other than AWS's, for example http://127.0.0.1:8000.",
		checked(checkURL, func(c *Config, v string) { c.DynamoDBEndpoint = v })},
	{"SES_ENDPOINT", "", "The address of an SES other than AWS's, for tests.",
		checked(checkURL, func(c *Config, v string) { c.SESEndpoint = v })},
	{"SES_CONFIGURATION_SET", "", "The SES configuration set for all emails.",
		unchecked(func(c *Config, v string) { c.SESConfigurationSet = v })},
	{"MAIL_FROM", "", "The sender of every email: an address, or a name with the address in angle brackets.",
		mailbox(func(c *Config, a mail.Address) { c.MailFrom = a })},
	{"SALES_EMAIL", "", "The sales team's address. It receives notices of new requests and customers' replies.",
		mailbox(func(c *Config, a mail.Address) { c.SalesEmail = a })},
	{"LICENSE_KEYS", `{"keys":[]}`,
		"The public keys that verify licenses, as `ops license-keys` prints them: a JWK Set, or its compact form. " +
			"/.well-known/license-keys.json returns the JWK Set.",
		checked(checkKeySet, func(c *Config, v string) { c.LicenseKeys = v })},
	{"LICENSE_SIGNERS", "",
		"The KMS keys that sign licenses, each with its Kid in LICENSE_KEYS: kid=ARN, separated by commas.",
		unchecked(func(c *Config, v string) { c.LicenseSigners = v })},
	{"BRIDGE_SIGNERS", "",
		"The KMS key that signs bridge keys and nothing else: kid=ARN, with its Kid in LICENSE_KEYS.",
		unchecked(func(c *Config, v string) { c.BridgeSigners = v })},
	{"PUBLIC_MAIL_DOMAINS", "",
		"Further mail domains at which anybody can have an address, separated by commas. None of them is a " +
			"customer's.",
		unchecked(func(c *Config, v string) { c.PublicMailDomains = strings.FieldsFunc(strings.ToLower(v), between) })},
	{"SECOND_PERSON", "on",
		"Whether an action that takes something from a customer, and that no contact aske" +
			"d for, needs a second colleague: on, or off for a vendor with one salesperson, who then confirms it.",
		checked(checkSwitch, func(c *Config, v string) { c.OneOperator = v == "off" })},
	{"EXTRA_REMINDERS", "",
		"Further reminders of production and staging licenses, separated by commas: 7d (seven days before the last " +
			"day), 0d (on it), 7d-after (seven days after).",
		func(c *Config, v string) (err error) {
			c.Reminders, err = reminder.ParsePolicy(v)
			return err
		}},
	{"RETENTION", "",
		"How long personal data is kept, in days or months: requests that ended without a license, the text of sent " +
			"emails, and the audit: requests 180d, letters 13m, audit 36m, unless set. The page /privacy tells " +
			"customers.",
		func(c *Config, v string) (err error) {
			c.Retention, err = retention.ParsePolicy(v)
			return err
		}},
	{"TIME_ZONE", "UTC",
		"The time zone of the office, an IANA name such as Europe/Zurich. Deadlines are named in it.",
		hours(officehours.Hours.In)},
	{"OFFICE_HOURS", "Mon-Fri 09:00-17:00",
		"When the office is open by weekday, separated by commas, for example Mon-Thu 09:00-17:00, Fri 09:00-15:00. " +
			"A reply is due one business day after a request.",
		hours(officehours.Hours.On)},
	{"HOLIDAYS", "",
		"When the office is closed besides, separated by commas: a date (2026-12-25), a day of every year (12-25), a " +
			"range (2026-12-24..2027-01-01), or a shortened day (12-24 09:00-12:00).",
		hours(officehours.Hours.Except)},
	{"VENDOR_NAME", "",
		"The vendor's name, which pages and emails show beside the product's. Without it, they show none.",
		checked(brand.CheckName, func(c *Config, v string) { c.Brand.Vendor = v })},
	{"PRODUCT_NAME", brand.DefaultProduct, "The product's name, in every page and email.",
		checked(brand.CheckName, func(c *Config, v string) { c.Brand.Product = v })},
	{"LOGO_URL", "",
		"The vendor's logo on pages: an https address, or a path of the site. Without it, a built-in mark.",
		checked(brand.CheckLogo, func(c *Config, v string) { c.Brand.LogoURL = v })},
	{"BRAND_COLOR", "",
		"The color of links and buttons, for example #0b5a87. The other colors follow from it, also those of the " +
			"dark scheme. One that is too light to read is refused.",
		func(c *Config, v string) (err error) {
			c.Brand.Color, err = brand.ParseColor(v)
			return err
		}},
	{"SUPPORT_EMAIL", "", "The address of technical support, on pages and in emails with keys.",
		mailbox(func(c *Config, a mail.Address) { c.Brand.SupportEmail = a.Address })},
	{"SUPPORT_URL", "", "The page of technical support, on pages and in emails with keys.",
		checked(checkURL, func(c *Config, v string) { c.Brand.SupportURL = v })},
	{"TERMS_URL", "",
		"The vendor's own terms and conditions, which pages link and /terms leads to. Without it, /terms has " +
			"its own text.",
		checked(checkURL, func(c *Config, v string) { c.Brand.TermsURL = v })},
	{"PACKAGES_BUCKET", "", "The S3 bucket behind PACKAGES_URL, for custom packages.",
		unchecked(func(c *Config, v string) { c.PackagesBucket = v })},
	{"OIDC_ISSUER", "", "The issuer URL of the console's OpenID Connect provider, exactly as in its tokens.",
		checked(checkURL, func(c *Config, v string) { c.OIDCIssuer = v })},
	{"OIDC_CLIENT_ID", "", "The console's client ID at the OpenID Connect provider.",
		unchecked(func(c *Config, v string) { c.OIDCClientID = v })},
	// Load quotes an invalid value in its error, so it does not check secrets.
	{"OIDC_CLIENT_SECRET", "", "The console's client secret, if its provider gave it one. Not on AWS.",
		unchecked(func(c *Config, v string) { c.OIDCClientSecret = v })},
	{"SESSION_KEYS", "",
		"The secret keys of console sessions, each 32 bytes in base64, separated by commas. The first one seals " +
			"sessions, all of them open sessions. Not on AWS.",
		unchecked(func(c *Config, v string) { c.SessionKeys = v })},
	{"HASH_KEY", "",
		"The secret keys of the hashes that stay of erased people, each 32 bytes in base64, separated by commas. The " +
			"first one makes hashes; the others recognize older ones, so keep them. Not on AWS.",
		unchecked(func(c *Config, v string) { c.HashKey = v })},
	{"CONSOLE_SECRET", "",
		"The ARN of the secret in AWS Secrets Manager with the members session_keys and client_secret, which " +
			"replaces SESSION_KEYS and OIDC_CLIENT_SECRET. It is read at first use and again every five minutes.",
		unchecked(func(c *Config, v string) { c.ConsoleSecret = v })},
	{"HASH_SECRET", "",
		"The ARN of the secret in AWS Secrets Manager whose text replaces HASH_KEY. It is read at first use and " +
			"again every five minutes.",
		unchecked(func(c *Config, v string) { c.HashSecret = v })},
	{"ACCOUNT_KEYS", "",
		"The secret keys of the sessions of /account, like SESSION_KEYS. Not on AWS.",
		unchecked(func(c *Config, v string) { c.AccountKeys = v })},
	{"ACCOUNT_SECRET", "",
		"The ARN of the secret whose text replaces ACCOUNT_KEYS. It is read as HASH_SECRET is.",
		unchecked(func(c *Config, v string) { c.AccountSecret = v })},
}

// Secrets are the variables that hold a secret. They are for laptops and tests: on AWS another variable names the
// secret, which the program reads when it needs it (shared/secret).
var Secrets = []string{"OIDC_CLIENT_SECRET", "SESSION_KEYS", "HASH_KEY", "ACCOUNT_KEYS"}

// Load reads the configuration through getenv, for example os.Getenv. It returns an error that names the variable if a
// value is invalid or one of the needed variables is missing.
func Load(getenv func(string) string, needed ...string) (Config, error) {
	var c Config
	for _, v := range Variables {
		value := strings.TrimSpace(getenv(v.Name))
		if value == "" {
			value = v.Default
		}
		if value == "" {
			for _, n := range needed {
				if n == v.Name {
					return Config{}, fmt.Errorf("config: %s is not set: %s", v.Name, v.Doc)
				}
			}
			continue
		}
		if err := v.set(&c, value); err != nil {
			return Config{}, fmt.Errorf("config: %s=%q: %w", v.Name, value, err)
		}
	}
	return c, nil
}

// checkStage keeps to the values that a dimension of CloudWatch takes.
func checkStage(s string) error {
	if len(s) > 64 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return errors.New("must be small letters, digits and hyphens, at most 64")
	}
	return nil
}

func checkSwitch(s string) error {
	if s != "on" && s != "off" {
		return errors.New("neither on nor off")
	}
	return nil
}

func unchecked(set func(*Config, string)) func(*Config, string) error {
	return checked(func(string) error { return nil }, set)
}

func checked(check func(string) error, set func(*Config, string)) func(*Config, string) error {
	return func(c *Config, v string) error {
		if err := check(v); err != nil {
			return err
		}
		set(c, v)
		return nil
	}
}

func mailbox(set func(*Config, mail.Address)) func(*Config, string) error {
	return func(c *Config, v string) error {
		a, err := mail.ParseAddress(v)
		if err != nil {
			return err
		}
		set(c, *a)
		return nil
	}
}

// hours sets a part of the office hours. Each is held against those before it.
func hours(set func(officehours.Hours, string) (officehours.Hours, error)) func(*Config, string) error {
	return func(c *Config, v string) (err error) {
		c.Hours, err = set(c.Hours, v)
		return err
	}
}

func checkURL(s string) error {
	u, err := url.Parse(s)
	if err != nil {
		return err
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("must be an absolute http(s) URL without ? and #")
	}
	return nil
}

// checkSecureURL refuses addresses without encryption, except those of this machine.
func checkSecureURL(s string) error {
	if err := checkURL(s); err != nil {
		return err
	}
	u, err := url.Parse(s)
	if err != nil {
		return err
	}
	if host := u.Hostname(); u.Scheme != "https" && host != "localhost" && !net.ParseIP(host).IsLoopback() {
		return errors.New("must use https, except on this machine")
	}
	return nil
}

// checkKeySet tells a cut or quoted text from either form of a key set. Whoever needs the keys reads them
// (license.ParseKeySet): not every function has to link what that needs.
func checkKeySet(s string) error {
	const compact = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+:,"
	if strings.HasPrefix(s, "{") && json.Valid([]byte(s)) || strings.Trim(s, compact) == "" {
		return nil
	}
	return errors.New("must be JSON or the compact form")
}

func parseHashes(s string) (hashes [][sha256.Size]byte, err error) {
	for _, text := range strings.FieldsFunc(s, between) {
		var hash [sha256.Size]byte
		if len(text) != hex.EncodedLen(len(hash)) {
			return nil, errors.New("must be SHA-256 hashes in hex")
		}
		if _, err := hex.Decode(hash[:], []byte(text)); err != nil {
			return nil, errors.New("must be SHA-256 hashes in hex")
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

// between reports what separates the items of a list.
func between(r rune) bool { return r == ',' || r == ' ' }
