package rowkey

import (
	"strings"
	"time"

	"marketplace/shared/input"
	"marketplace/shared/license"
	"marketplace/shared/table"
)

// Prefixes of sort keys in the partition of a customer.
const (
	CustomerPrefix = "CUSTOMER#"
	ContractPrefix = "CONTRACT#"
	InstancePrefix = "INSTANCE#"
	MergedPrefix   = "MERGED#"
)

// CustomerPK is the partition of a customer with its contracts and instances, and nothing else.
func CustomerPK(id string) string { return CustomerPrefix + id }

// Customer is the row of a customer itself, with its contacts.
func Customer(id string) table.Key { return table.Key{PK: CustomerPK(id), SK: "CUSTOMER"} }

// Guard is the row that changes with all that is on record about a customer and those merged into it. It is the first
// of its partition, so that whoever reads all of it has a version that is not newer than the rest.
func Guard(customer string) table.Key { return table.Key{PK: CustomerPK(customer), SK: "ACCOUNT"} }

// Contract is the row of a contract.
func Contract(customer, id string) table.Key {
	return table.Key{PK: CustomerPK(customer), SK: ContractPrefix + id}
}

// Instance is the row of an instance, with what it has on record about its licenses.
func Instance(customer, id string) table.Key {
	return table.Key{PK: CustomerPK(customer), SK: InstancePrefix + id}
}

// Merged is the row of a customer that was merged into another, in the partition of the survivor.
func Merged(survivor, id string) table.Key {
	return table.Key{PK: CustomerPK(survivor), SK: MergedPrefix + id}
}

// CustomerTimeline names the partition of a customer's timeline, which has its contracts, instances and licenses too.
func CustomerTimeline(id string) table.Key { return table.Key{PK: timelinePrefix + id, SK: "CUSTOMER"} }

const timelinePrefix = "TIMELINE#"

// TimelineOf returns the ID of the customer whose timeline a partition is; ok is false for other partitions.
func TimelineOf(pk string) (customer string, ok bool) { return strings.CutPrefix(pk, timelinePrefix) }

// Dataset is the row of a server's dataset.
func Dataset(s license.Server) table.Key {
	return table.Key{PK: "DATASET#" + s.Dataset(), SK: "DATASET"}
}

// serverStart is by how many characters of a server ID the partitions of ServerPK are told apart.
const serverStart = 4

// ServerPK is the partition of the instances that have or had a server ID with the same beginning; "" if the beginning
// is too short to name one.
func ServerPK(beginning string) string {
	if len(beginning) < serverStart {
		return ""
	}
	return "SERVER#" + beginning[:serverStart]
}

// Server is the row that finds an instance by the beginning of a server ID that it has or had.
func Server(s license.Server, instance string) table.Key {
	return table.Key{PK: ServerPK(string(s)), SK: string(s) + "#" + instance}
}

// CustomersPK is the partition of all customers, by name.
const CustomersPK = "CUSTOMERS"

// Listed is the row of a customer in the list of all. name is folded.
func Listed(name, id string) table.Key { return table.Key{PK: CustomersPK, SK: name + "#" + id} }

// DomainPK is the partition of the customers of a mail domain.
func DomainPK(domain string) string { return "DOMAIN#" + domain }

// Domain is the row that finds a customer by a mail domain.
func Domain(domain, customer string) table.Key {
	return table.Key{PK: DomainPK(domain), SK: customer}
}

// ContactPK is the partition of the customers that have a contact with an email address, in whatever spelling.
func ContactPK(email string) string { return "CONTACT#" + input.Mailbox(email) }

// Contact is the row that finds a customer by a contact's email address.
func Contact(email, customer string) table.Key {
	return table.Key{PK: ContactPK(email), SK: customer}
}

// NamedPK is the partition of what names an email address, in whatever spelling, besides the customers with the contact
// and the requests from it.
func NamedPK(email string) string { return "NAMED#" + input.Mailbox(email) }

// Named is the row that says that something names an address. in is a row of it, whose partition is its own.
func Named(email string, in table.Key) table.Key { return table.Key{PK: NamedPK(email), SK: in.PK} }

// ErasedPK is the partition of the erased people, by the hashes of their mailboxes.
const ErasedPK = "ERASED"

// AllErased asks for what was erased of all people.
func AllErased() table.Query { return table.Query{PK: ErasedPK} }

// ErasedPerson is the row of what was erased of a person.
func ErasedPerson(hash string) table.Key { return table.Key{PK: ErasedPK, SK: hash} }

// Audit is the row of a change of the system in the audit of its day (UTC). What customers, jobs and colleagues do is
// in partitions of its own, so that a function's role can be held to its own.
func Audit(at time.Time, by, id string) table.Key {
	return table.Key{PK: AuditPK(license.DateOf(at), by), SK: id}
}

// AuditPK is the partition of the changes of a day (UTC), by who made them.
func AuditPK(day license.Date, by string) string {
	switch by {
	case "customer", "system":
	default:
		by = "colleague"
	}
	return "AUDIT#" + day.String() + "#" + by
}
