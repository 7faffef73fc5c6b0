package generator

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"marketplace/catalog"
	"marketplace/shared/customer"
	"marketplace/shared/license"
	"marketplace/shared/mail"
	"marketplace/shared/mail/letter"
	"marketplace/shared/reference"
)

// KeyPlaceholder stands for a key in the email of a draft: keys are made when the draft is issued.
const KeyPlaceholder = "(license key, created when you issue the license)"

// seal adds the email and the digest.
func (d *Draft) seal() {
	d.Mail = d.letter(slices.Repeat([]string{KeyPlaceholder}, len(d.Licenses)))
	d.Digest = d.digest()
}

// letter returns the email that delivers the licenses with these keys.
func (d *Draft) letter(keys []string) mail.Message {
	delivered := slices.Clone(d.Licenses)
	for i := range delivered {
		delivered[i].KeyText = keys[i]
	}
	return d.generator.Letters.LicenseKey(delivered[0].ID+"-key", letter.Delivery{
		To: d.To, Licenses: delivered, References: d.references(), ProductVersion: d.productVersion,
		Catalog: d.Catalog,
	})
}

// references are those of the customer and the contracts of the licenses.
func (d *Draft) references() (r letter.References) {
	if d.Changes.New {
		r.Customer = d.Changes.Customer.Reference
	} else {
		r.Customer = d.Account.Customer.Reference
	}
	after := d.accountAfter()
	for _, l := range d.Licenses {
		if k := after.Contract(l.Contract); k != nil {
			if r.Contracts == nil {
				r.Contracts = map[string]reference.Reference{}
			}
			r.Contracts[k.ID] = k.Reference
		}
	}
	return r
}

// digest returns the hash of all that the operator sees.
func (d *Draft) digest() string {
	seen := struct {
		Licenses []license.License
		Previous []*customer.License
		Changes  Changes
		Warnings []Warning
		Mail     mail.Message
		Request  string
		Jars     []catalog.Jar
	}{
		Licenses: d.Licenses, Previous: d.Previous, Changes: d.Changes, Warnings: d.Warnings, Mail: d.Mail,
		Jars: d.jars,
	}
	if d.Request != nil {
		seen.Request = fmt.Sprintf("%s %d", d.Request.ID, d.Request.Version)
	}
	data, err := json.Marshal(seen)
	if err != nil {
		panic("generator: encoding a draft: " + err.Error())
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// sign returns the licenses with their keys. The issuer has read each key back as its receivers do, and the email must
// carry it unaltered.
func (d *Draft) sign() ([]license.License, error) {
	issuer, err := d.generator.Issuer()
	if err != nil {
		return nil, err
	}
	signed := slices.Clone(d.Licenses)
	keys := make([]string, len(signed))
	for i := range signed {
		if keys[i], err = issuer.Issue(signed[i].Terms()); err != nil {
			return nil, err
		}
		signed[i].KeyText = keys[i]
	}
	m := d.letter(keys)
	for i, key := range keys {
		attached := func(a mail.Attachment) bool { return bytes.Equal(a.Data, []byte(key+"\n")) }
		if !slices.ContainsFunc(m.Attachments, attached) {
			return nil, fmt.Errorf("generator: the email altered the key of license %s", signed[i].ID)
		}
	}
	return signed, nil
}
