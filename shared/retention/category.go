package retention

// Category is a part of what is kept: of whom, why, and how long. The public page about personal data lists them.
type Category struct {
	Name string
	Of   string // whose data it is
	What string
	Why  string
	// Kept says how long under a policy, and from when on.
	Kept func(p Policy) string
	// Rows are the kinds of rows in it: the beginning of the partition key that they have in common, and the type. A
	// test of infra/check has each in one category, or in NotPersonal.
	Rows []string
}

// Whose data it is.
const (
	ofRequesters = "People who request a license"
	ofContacts   = "Contacts of our customers"
	ofReaders    = "Everyone we email"
	ofStaff      = "Our staff"
)

func always(text string) func(Policy) string { return func(Policy) string { return text } }

// Categories lists what is kept of people.
var Categories = []Category{
	{
		Name: "License requests", Of: ofRequesters,
		What: "Name, email address, company, country, phone number and message, the server ID, and what happened " +
			"to the request.",
		Why: "To answer the request.",
		Kept: func(p Policy) string {
			return p.Requests().String() + " after the request is closed without a license. A request that led to a " +
				"license is kept with it."
		},
		Rows: []string{"REQUEST# request", "REQUEST# event", "QUEUE# index", "DATASET-REQUESTS# index",
			"EMAIL-REQUESTS# index", "WORD-REQUESTS# index", "CUSTOMER-REQUESTS# index", "UNTOLD index",
			"REQUESTS-TO-DELETE index", "BRIDGES index"},
	},
	{
		Name: "Customers and licenses", Of: ofContacts,
		What: "Names and email addresses of the contacts, which licenses and contracts they are for, and what " +
			"happened to these, including the keys.",
		Why: "To deliver keys, remind of renewals, and prove what was licensed.",
		Kept: always("As long as we keep a record of the license or contract. We replace a person's data when they " +
			"ask us to."),
		Rows: []string{"CUSTOMER# customer", "CUSTOMER# contract", "CUSTOMER# instance", "TIMELINE# event",
			"LICENSE# license", "LICENSE# event", "UNSUBSCRIBED# event", "CUSTOMERS index", "CONTACT# index",
			"DOMAIN# index", "WORD# index", "NAMED# index"},
	},
	{
		Name: "Next reminders", Of: ofContacts,
		What: "Which reminder of a license comes next.",
		Why:  "To remind customers in time.",
		Kept: always("1 month after the license expires. The list of licenses without a reachable contact: until it " +
			"expires."),
		Rows: []string{"DUE# due", "UNREACHED index"},
	},
	{
		Name: "Email records", Of: ofReaders,
		What: "Who was sent which email when, and whether it arrived.",
		Why:  "To send every email once, and to see what did not arrive.",
		Kept: always("As long as the request or license that the email is about."),
		Rows: []string{"MAILS# mail", "MAILS# mailstate", "MAILS# report", "MAILS# digestdue", "MAILS# reminded",
			"OUTBOX# pending", "LATER# pending", "FAILEDMAIL failed"},
	},
	{
		Name: "Text of sent emails", Of: ofReaders,
		What: "Emails as we sent them.",
		Why:  "To answer questions about them.",
		Kept: func(p Policy) string {
			return p.Letters().String() + " after sending. Emails about a request are deleted with the request."
		},
		Rows: []string{"LETTER# letter"},
	},
	{
		Name: "Delivery problems", Of: ofReaders,
		What: "Emails that did not arrive, and complaints.",
		Why:  "To repair what keeps customers from getting our email.",
		Kept: always("31 days after the report."),
		Rows: []string{"REPORTED index"},
	},
	{
		Name: "Confirmations and limits", Of: ofRequesters,
		What: "That an address confirmed a request, and how many emails and requests there were on a day.",
		Why:  "So that nobody can use our form to flood a mailbox.",
		Kept: always("2 days. That an address was confirmed: 30 days."),
		Rows: []string{"CONFIRMATIONS# confirmation", "DOMAIN-REQUESTS# index", "ASKED# index"},
	},
	{
		Name: "Sign-ins to the account", Of: ofContacts,
		What: "That somebody began to sign in with an email address, the email with the link, and that a session was " +
			"signed out.",
		Why:  "So that a link works once and briefly, and nobody can flood a mailbox.",
		Kept: always("1 day. The record of a signed-out session: at most 8 hours."),
		Rows: []string{"SIGN-INS# signin", "ACCOUNT-SESSION# session"},
	},
	{
		Name: "Repeated forms", Of: ofRequesters,
		What: "A fingerprint of a form, which does not reveal what was typed.",
		Why:  "So that a form sent twice makes one request.",
		Kept: always("90 days after the request is received."),
		Rows: []string{"IDEMPOTENCY# idempotency"},
	},
	{
		Name: "Unsubscriptions", Of: ofContacts,
		What: "That an address unsubscribed from the reminders of a license.",
		Why:  "To respect it.",
		Kept: always("2 months after the license expires."),
		Rows: []string{"UNSUBSCRIBED# unsubscribed"},
	},
	{
		Name: "Addresses we do not email", Of: ofReaders,
		What: "Addresses that do not exist, or whose owner complained about our email.",
		Why:  "So that we do not email them again.",
		Kept: always("Until the address works again or its owner asks us to resume."),
		Rows: []string{"EMAIL# suppression"},
	},
	{
		Name: "Audit", Of: ofStaff,
		What: "Who changed what and when, without the text of the change.",
		Why:  "To account for every change.",
		Kept: func(p Policy) string { return p.Audit().String() + " after the change." },
		Rows: []string{"AUDIT# audit"},
	},
	{
		Name: "Sign-ins", Of: ofStaff,
		What: "Name, email address and role of colleagues who use the sales console.",
		Why:  "To show who did what.",
		Kept: func(p Policy) string {
			return p.Audit().String() + " after the last sign-in. An ended session: until it would have expired."
		},
		Rows: []string{"COLLEAGUE colleague", "SESSION# session"},
	},
	{
		Name: "Reply templates", Of: ofStaff,
		What: "Who changed a text for questions, rejections and withdrawals last.",
		Why:  "To know whom to ask about it.",
		Kept: always("Until someone else changes the text, or it is deleted."),
		Rows: []string{"REPLIES reply"},
	},
	{
		Name: "Wishes to be erased", Of: ofContacts,
		What: "Name and email address of a contact who asked in their account to be erased.",
		Why:  "So that an admin erases them.",
		Kept: always("Until the person is erased."),
		Rows: []string{"ERASURES-ASKED erasureasked"},
	},
	{
		Name: "Erasures", Of: ofReaders,
		What: "A keyed hash of an erased address, which does not reveal it, and how much was erased.",
		Why:  "To prove the erasure, and to repeat it if the address comes back.",
		Kept: always("Without limit: it names nobody."),
		Rows: []string{"ERASED erased"},
	},
}

// NotPersonal are the kinds of rows without personal data.
var NotPersonal = []string{"CUSTOMER# guard", "CUSTOMER# index", "REFERENCE# reference", "WEEK# index",
	"DATASET# dataset", "SERVER# index", "EXPIRY# index", "STATS stats", "MAILER lease", "INDOUBT index",
	"REMINDERS run", "DELETIONS deletion"}
