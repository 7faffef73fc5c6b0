package customer

import (
	"slices"

	"marketplace/shared/license"
	"marketplace/shared/request"
)

// Asked is what somebody says about the installation that a license is for.
type Asked struct {
	Server      license.Server
	Environment request.Environment // "" if it was not said
	OldServer   request.OldServer   // "" if nothing is replaced
	// Licenses and Servers are what it replaces, or the production that a staging server mirrors, as
	// license.ReadReference reads it.
	Licenses []string
	Servers  []license.Server
}

// AskedBy returns what a request says about the installation that it is for.
func AskedBy(r request.Request) Asked {
	named := license.ReadReference(r.Replaces)
	asked := Asked{
		Server: r.Server, Environment: r.Environment, OldServer: r.OldServer, Licenses: named.AnyCase(),
		Servers: named.Servers,
	}
	switch r.Kind {
	case request.Staging:
		asked.Environment = request.StagingUse
	case request.Evaluation, request.New, request.Upgrade:
		asked.Environment = request.ProductionUse
	}
	return asked
}

// How says why Match came to its result.
type How string

const (
	// NoMatch: nothing on record is like it. It is a new instance.
	NoMatch How = ""
	// ExactID: one instance, of that environment if one was said, has or had the ID.
	ExactID How = "exact"
	// ByEnvironment: several instances have or had the ID, and one of them is of that environment.
	ByEnvironment How = "environment"
	// Replaced: the old server, which is stopped or lost, was named and has another dataset.
	Replaced How = "replaced"
	// Moved: an instance has the same dataset, and its old server is stopped or lost.
	Moved How = "moved"
	// Copied: the dataset is that of another instance, which goes on. It is a new instance.
	Copied How = "copied"
	// ProductionID: a staging server asks with the ID that production has now, and no staging instance is known to have
	// it. It is a new instance, or a known one whose database was copied from production: its Candidates.
	ProductionID How = "production-id"
	// Undecided: one of the Candidates, or a new instance. Somebody has to say.
	Undecided How = "ask"
)

// Match is the instance that a license is for.
type Match struct {
	How      How
	Instance string // its ID; "" for a new one, and while it is undecided
	// From is, of a new instance, the ID of the production instance of which it is a copy, where the ID, the dataset or
	// the asker tells.
	From string
	// Candidates are the IDs of the instances that it may be, in the order of the account.
	Candidates []string
}

// Match finds the instance that a server is: by its exact ID, by the environment, then by what it replaces and by the
// dataset. An ID that an instance had counts like its current one. A retired instance is found only where none in use
// is.
func (a *Account) Match(asked Asked) Match {
	m := a.match(asked)
	if m.Instance == "" && m.From == "" && asked.Environment == request.StagingUse {
		if from := a.mirrored(asked); from != nil {
			m.From = from.ID
		}
	}
	return m
}

func (a *Account) match(asked Asked) Match {
	had := a.instances(func(i Instance) bool { return i.Had(asked.Server) })
	named := a.instances(func(i Instance) bool { return i.named(asked) })
	if exact := asked.fitting(had); len(exact) > 0 {
		return asked.exact(had, exact, asked.fitting(named))
	}
	from := a.mirrored(asked)
	if asked.Environment == request.StagingUse && from != nil && from.Server() == asked.Server {
		return asked.productionID(ids(a.StagingOf(from.ID)), asked.fitting(named))
	}
	if known := asked.fitting(named); len(known) > 0 {
		return asked.replaced(known)
	}
	if len(named) > 0 && asked.OldServer != "" { // a replacement in the other environment
		return Match{How: Undecided, Candidates: ids(named)}
	}
	same := a.instances(func(i Instance) bool { return i.sameDataset(asked.Server) })
	if known := asked.fitting(same); len(known) > 0 {
		return asked.replaced(known)
	}
	switch {
	case len(same) == 0:
		return Match{}
	case asked.Environment == request.StagingUse:
		return Match{How: Copied}
	}
	return Match{How: Undecided, Candidates: ids(same)}
}

// mirrored returns the production that a staging server mirrors: one that has its ID, or else its dataset, or else that
// was named; nil if nothing tells.
func (a *Account) mirrored(asked Asked) *Instance {
	named := a.instances(func(i Instance) bool { return i.named(asked) })
	same := a.instances(func(i Instance) bool { return i.sameDataset(asked.Server) })
	if both := productionOf(common(same, named), asked.Server); both != nil {
		return both
	}
	if from := productionOf(same, asked.Server); from != nil {
		return from
	}
	return productionOf(named, asked.Server)
}

// exact chooses among instances of the environment that have or had the ID; had are those of any environment, named
// those that the asker named.
func (asked Asked) exact(had, exact, named []Instance) Match {
	if len(exact) > 1 {
		if both := common(exact, named); len(both) > 0 {
			exact = both
		}
	}
	if now := having(exact, asked.Server); len(exact) > 1 && len(now) > 0 {
		exact = now
	}
	if len(exact) > 1 {
		return Match{How: Undecided, Candidates: ids(exact)}
	}
	if len(named) > 0 && len(common(exact, named)) == 0 { // it says that it replaces another one
		return Match{How: Undecided, Candidates: ids(append(slices.Clone(exact), named...))}
	}
	how := ExactID
	if asked.Environment != "" && slices.ContainsFunc(had, asked.elsewhere) {
		how = ByEnvironment
	}
	return Match{How: how, Instance: exact[0].ID}
}

// productionID decides about a staging server that has the ID of production: it is the one that it says it replaces,
// or else somebody has to say.
func (asked Asked) productionID(staging []string, named []Instance) Match {
	m := Match{How: ProductionID, Candidates: staging}
	if len(named) == 1 && asked.gone() {
		m.Instance = named[0].ID
	}
	return m
}

// replaced decides about a server that is like known ones of its environment but has another ID.
func (asked Asked) replaced(known []Instance) Match {
	other := func(i Instance) bool { return !i.sameDataset(asked.Server) }
	if same := slices.DeleteFunc(slices.Clone(known), other); len(same) > 0 {
		known = same
	}
	if len(known) > 1 {
		return Match{How: Undecided, Candidates: ids(known)}
	}
	one := known[0]
	same := one.sameDataset(asked.Server)
	switch {
	case asked.gone() && same:
		return Match{How: Moved, Instance: one.ID}
	case asked.gone():
		return Match{How: Replaced, Instance: one.ID}
	case asked.OldServer == request.OldRunning && same:
		return Match{How: Copied, From: one.production()}
	}
	return Match{How: Undecided, Candidates: ids(known)}
}

// production returns the ID of the production instance that this one is or mirrors.
func (i Instance) production() string {
	if i.Environment == request.StagingUse {
		return i.Production
	}
	return i.ID
}

// gone reports whether the asker says that the old server runs no more.
func (asked Asked) gone() bool {
	return asked.OldServer == request.OldStopped || asked.OldServer == request.OldLost
}

// elsewhere reports whether an instance is not of the environment that was said.
func (asked Asked) elsewhere(i Instance) bool { return i.Environment != asked.Environment }

// fitting returns the instances of the environment that was said, those in use if there are any.
func (asked Asked) fitting(list []Instance) []Instance {
	fit := slices.DeleteFunc(slices.Clone(list), func(i Instance) bool {
		return asked.Environment != "" && i.Environment != asked.Environment
	})
	used := slices.DeleteFunc(slices.Clone(fit), func(i Instance) bool { return !i.InUse() })
	if len(used) > 0 {
		return used
	}
	return fit
}

// instances returns the instances for which a condition holds.
func (a *Account) instances(holds func(Instance) bool) (list []Instance) {
	for _, i := range a.Instances {
		if holds(i) {
			list = append(list, i)
		}
	}
	return list
}

// named reports whether the asker named the instance: one of its licenses, or an ID that it has or had.
func (i Instance) named(asked Asked) bool {
	return slices.ContainsFunc(asked.Servers, i.Had) ||
		slices.ContainsFunc(i.Licenses, func(l License) bool { return slices.Contains(asked.Licenses, l.ID) })
}

// sameDataset reports whether the instance has or had an ID of the server's dataset.
func (i Instance) sameDataset(s license.Server) bool {
	return slices.ContainsFunc(i.Servers, func(known ServerID) bool { return known.Server.Dataset() == s.Dataset() })
}

// productionOf returns the production instance of a list that has the server ID now, or else the first in use.
func productionOf(list []Instance, s license.Server) *Instance {
	list = slices.DeleteFunc(slices.Clone(list), func(i Instance) bool {
		return i.Environment != request.ProductionUse || !i.InUse()
	})
	if now := having(list, s); len(now) > 0 {
		return &now[0]
	}
	if len(list) == 0 {
		return nil
	}
	return &list[0]
}

// having returns the instances whose current ID is a server's.
func having(list []Instance, s license.Server) []Instance {
	return slices.DeleteFunc(slices.Clone(list), func(i Instance) bool { return i.Server() != s })
}

// common returns the instances of a that are also in b.
func common(a, b []Instance) []Instance {
	return slices.DeleteFunc(slices.Clone(a), func(i Instance) bool { return !slices.Contains(ids(b), i.ID) })
}

func ids(list []Instance) (ids []string) {
	for _, i := range list {
		ids = append(ids, i.ID)
	}
	return ids
}
