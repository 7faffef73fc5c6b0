package restore

import (
	"encoding/json"
	"fmt"

	"marketplace/shared/license"
	"marketplace/shared/reference"
	"marketplace/shared/request"
	"marketplace/shared/store/rowkey"
	"marketplace/shared/table"
)

// License is a license that was issued after the copy was made.
type License struct {
	ID           string
	Type         license.Type
	Organization string
	Server       license.Server
	Edition      license.Edition
	Expiration   license.Date
}

// Request is a license request that was filed after the copy was made.
type Request struct {
	ID        string
	Reference reference.Reference
	State     request.State
}

// gone notes a license or a request that the table will not have any more.
func (p *Plan) gone(row table.Row) (err error) {
	switch rowkey.Type(row.Type) {
	case rowkey.TypeLicense:
		var r struct {
			License license.License `json:"license"`
		}
		err = json.Unmarshal(row.Data, &r)
		l := r.License
		p.Licenses = append(p.Licenses, License{l.ID, l.Type, l.Organization, l.Server, l.Edition, l.Expiration})
	case rowkey.TypeRequest:
		var r request.Request
		err = json.Unmarshal(row.Data, &r)
		p.Requests = append(p.Requests, Request{r.ID, r.Reference, r.State})
	}
	if err != nil {
		return fmt.Errorf("restore: %v: %w", row.Key, err)
	}
	return nil
}
