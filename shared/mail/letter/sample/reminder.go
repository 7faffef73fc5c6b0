package sample

import (
	"fmt"
	"slices"

	"marketplace/shared/license"
	"marketplace/shared/mail/letter"
	"marketplace/shared/mail/notice"
	"marketplace/shared/reference"
	"marketplace/shared/reminder"
	"marketplace/shared/request"
)

// policy has every stage that can be switched on.
var policy = reminder.With(reminder.Switchable...)

// reminders are letters about licenses that expire.
func reminders(key license.License) []told {
	tried := with(key, func(l *license.License) {
		l.Type, l.Support, l.Contract, l.NotBefore = license.Evaluation, false, "", expires.AddDays(-30)
	})
	remind := func(name, title string, day license.Date, list ...notice.Expiring) told {
		n, r := digest(day, list...)
		return told{name, title, n, r, letter.Call{}}
	}
	return []told{
		remind("license-expiring", "Reminder, two months before", expires.AddMonths(-2), recorded(key)),
		remind("license-next-key-coming", "Reminder, the next key is coming", expires.AddMonths(-2), goingOn(key)),
		remind("license-expiring-last-day", "Reminder on the last day", expires, recorded(key)),
		remind("license-expired", "Reminder, seven days after", expires.AddDays(7), recorded(key)),
		remind("license-expiring-evaluation", "Reminder of an evaluation, seven days before", expires.AddDays(-7),
			recorded(tried)),
		remind("license-expiring-evaluation-last-day", "Reminder of an evaluation on the last day", expires,
			recorded(tried)),
		remind("three-licenses-expiring", "Reminder of three licenses", expires.AddDays(-7), several(key)[1:4]...),
		remind("licenses-expiring", "Reminder of licenses of every sort", expires.AddDays(-7), several(key)...),
		remind("25-licenses-expiring", "Reminder of 25 licenses", expires.AddMonths(-2), many(key, 25)...),
	}
}

// several are licenses of every sort: one has expired, one is an evaluation, and the contract of two goes on.
func several(key license.License) []notice.Expiring {
	list := many(key, 7)
	list[0].License.Expiration = expires.AddDays(-14)
	list[2].License.Type, list[2].Environment = license.Staging, request.StagingUse
	list[3].License.Expiration = expires.AddDays(24)
	list[3].License.Edition, list[3].License.MaxLoc = license.Enterprise, 20_000_000
	list[4].License.Type, list[4].Contract, list[4].License.Organization = license.Evaluation, "", "Daughter & Co."
	for i := range 2 {
		list[5+i].ContractLast = expires.AddMonths(24)
	}
	return list
}

// many are licenses of one customer, a few of them with other last days.
func many(key license.License, n int) (list []notice.Expiring) {
	for i := range n {
		of := recorded(with(key, func(l *license.License) {
			l.ID = fmt.Sprintf("01c6x2m4vj8q0n5r7t9w3y2%03d", i)
			l.Server = license.Server(fmt.Sprintf("%08X-AWHW8w9JtzBzSrmf%04d", 0x4A6F8E2B+i*0x01357913, i))
			if i >= 20 {
				l.Expiration = expires.AddDays(-3) // their day was missed
			}
		}))
		if i%5 == 4 {
			of.License.Type, of.Environment = license.Staging, request.StagingUse
		}
		list = append(list, of)
	}
	return list
}

// recorded is what is on record about a license.
func recorded(l license.License) notice.Expiring {
	of := notice.Expiring{
		License: l, Environment: request.ProductionUse, Contacts: []license.Contact{jane}, Reminded: &jane,
	}
	if l.Contract != "" {
		of.Contract = contractReference
	}
	return of
}

// goingOn is what is on record about a license whose contract goes on.
func goingOn(l license.License) notice.Expiring {
	of := recorded(l)
	of.ContractLast = expires.AddMonths(24)
	return of
}

// digest reminds of licenses on a day.
func digest(day license.Date, list ...notice.Expiring) (notice.Notice, notice.Records) {
	n := notice.LicensesExpiring(sampleCustomer, day, jane, 1)
	n.Nonce = "QX4C7D2WJ5T3VAZLQK2M6YHN3E"
	r := notice.Records{Today: day, Policy: policy, Customer: "C-8H2V5N", Organization: "Customer & Sons Ltd",
		Expiring: map[string]notice.Expiring{}}
	for _, of := range list {
		l := of.License
		r.Expiring[l.ID] = of
		n.Due = append(n.Due, notice.Due{License: l.ID, Expiration: l.Expiration, Stage: policy.Newest(l, day)})
	}
	return n, r
}

// stopped is what sales are told when a contact unsubscribed from the reminders of three licenses, one of which has
// been renewed since.
func stopped(key license.License) told {
	list := many(key, 3)
	for i := range list {
		list[i].Reminded, list[i].Unsubscribed = nil, []string{jane.Email}
	}
	list[2].License.Successor = key.ID
	n, r := digest(expires.AddMonths(-1), list...)
	return told{"reminders-stopped", "To sales: a contact unsubscribed",
		notice.RemindersStopped(n, slices.Clone(n.Due), "sample"), r, letter.Call{}}
}

// contractReference is the reference of sampleContract.
const contractReference reference.Reference = "K-3D9RTB"
