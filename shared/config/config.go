// Package config reads the configuration of every program from the environment. A main does it once.
package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"strings"
)

// Config is the configuration of a program. Variables documents the fields and their defaults.
type Config struct {
	SiteURL             string
	PackagesURL         string
	BundleURL           string
	TableName           string
	DynamoDBEndpoint    string
	SESEndpoint         string
	SESConfigurationSet string
	MailFrom            mail.Address
	SalesEmail          mail.Address
	LicenseKeys         string
	LicenseSigners      string
	PackagesBucket      string
	OIDCIssuer          string
	OIDCClientID        string
	OIDCClientSecret    string
	SessionKeys         string
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
	{"SITE_URL", "", "Where the customers reach the site: absolute, without a slash at the end. Goes into mails, " +
		"links and the catalog.",
		checked(checkURL, func(c *Config, v string) { c.SiteURL = strings.TrimSuffix(v, "/") })},
	{"PACKAGES_URL", "", "Where the CDN keeps the package ZIPs: the download links redirect to it.",
		checked(checkURL, func(c *Config, v string) { c.PackagesURL = strings.TrimSuffix(v, "/") })},
	{"BUNDLE_URL", "", "Where the prepared catalog is published, which is looked for once a minute: https, or http " +
		"on this machine. Without it the built-in catalog serves.",
		checked(checkSecureURL, func(c *Config, v string) { c.BundleURL = v })},
	{"TABLE_NAME", "", "The DynamoDB table.",
		unchecked(func(c *Config, v string) { c.TableName = v })},
	{"DYNAMODB_ENDPOINT", "", "A DynamoDB engine other than AWS's own, such as http://127.0.0.1:8000.",
		checked(checkURL, func(c *Config, v string) { c.DynamoDBEndpoint = v })},
	{"SES_ENDPOINT", "", "An SES other than AWS's own, for tests.",
		checked(checkURL, func(c *Config, v string) { c.SESEndpoint = v })},
	{"SES_CONFIGURATION_SET", "", "The SES configuration set that mails are sent with.",
		unchecked(func(c *Config, v string) { c.SESConfigurationSet = v })},
	{"MAIL_FROM", "", "The sender of every mail: an address, or a name with the address in angle brackets.",
		mailbox(func(c *Config, a mail.Address) { c.MailFrom = a })},
	{"SALES_EMAIL", "", "Where sales operations are told of new requests; replies of customers go there too.",
		mailbox(func(c *Config, a mail.Address) { c.SalesEmail = a })},
	{"LICENSE_KEYS", `{"keys":[]}`, "The public keys that verify licenses, as a JWK Set: what " +
		"/.well-known/license-keys.json says.",
		checked(checkJSON, func(c *Config, v string) { c.LicenseKeys = v })},
	{"LICENSE_SIGNERS", "", "The KMS keys that sign licenses, by their Kid in LICENSE_KEYS: kid=ARN, with commas " +
		"between them.",
		unchecked(func(c *Config, v string) { c.LicenseSigners = v })},
	{"PACKAGES_BUCKET", "", "The S3 bucket behind PACKAGES_URL, for packages that are tailored to a customer.",
		unchecked(func(c *Config, v string) { c.PackagesBucket = v })},
	{"OIDC_ISSUER", "",
		"The OpenID Connect provider that knows who may use the console, exactly as its tokens name it.",
		checked(checkURL, func(c *Config, v string) { c.OIDCIssuer = v })},
	{"OIDC_CLIENT_ID", "", "As which client the provider knows the console.",
		unchecked(func(c *Config, v string) { c.OIDCClientID = v })},
	// Load quotes an invalid value in its error, so it does not check secrets.
	{"OIDC_CLIENT_SECRET", "", "The client's secret.",
		unchecked(func(c *Config, v string) { c.OIDCClientSecret = v })},
	{"SESSION_KEYS", "", "The secret keys that seal the console's sessions, each 32 bytes in base64, with commas " +
		"between them: the first one seals, all of them open.",
		unchecked(func(c *Config, v string) { c.SessionKeys = v })},
}

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

func checkJSON(s string) error {
	if !json.Valid([]byte(s)) {
		return errors.New("must be JSON")
	}
	return nil
}
