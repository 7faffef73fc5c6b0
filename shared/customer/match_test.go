package customer

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"marketplace/shared/license"
	"marketplace/shared/request"
)

const (
	bare    = license.Server("AWHW8w9JtzBzSrmf9GQX")
	first   = "1234ABCD-" + bare
	second  = "AAAA0000-" + bare
	third   = "BBBB1111-" + bare
	other   = license.Server("CCCC2222-BXHW8w9JtzBzSrmf9GQX")
	another = license.Server("20170305093000")
)

func TestMatch(t *testing.T) {
	p, s := production("p", first), staging("s", "p", second)
	gone, lost, on := request.OldStopped, request.OldLost, request.OldRunning
	prod, stag := request.ProductionUse, request.StagingUse
	licensed := production("p", first).with(License{ID: "l1"})
	for name, test := range map[string]struct {
		instances []Instance
		asked     Asked
		want      Match
	}{
		"nothing on record": {nil, Asked{Server: first, Environment: prod}, Match{}},
		"another dataset":   {[]Instance{p}, Asked{Server: other, Environment: prod}, Match{}},
		"the exact ID":      {[]Instance{p}, Asked{Server: first}, Match{How: ExactID, Instance: "p"}},
		"the exact ID of its environment": {[]Instance{p, s}, Asked{Server: second, Environment: stag},
			Match{How: ExactID, Instance: "s"}},
		"an ID that it had": {[]Instance{production("p", bare, first)}, Asked{Server: bare},
			Match{How: ExactID, Instance: "p"}},
		"one ID of production and staging, production asks": {[]Instance{p, staging("s", "p", first)},
			Asked{Server: first, Environment: prod}, Match{How: ByEnvironment, Instance: "p"}},
		"one ID of production and staging, staging asks": {[]Instance{p, staging("s", "p", first)},
			Asked{Server: first, Environment: stag}, Match{How: ByEnvironment, Instance: "s"}},
		"one ID of production and staging, nobody says": {[]Instance{p, staging("s", "p", first)},
			Asked{Server: first}, Match{How: Undecided, Candidates: []string{"p", "s"}}},
		"two production instances, one has the ID now": {[]Instance{production("p", first, second), production("q", first)},
			Asked{Server: first, Environment: prod}, Match{How: ExactID, Instance: "q"}},
		"two production instances, the other is named": {
			[]Instance{production("p", first, second).with(License{ID: "l1"}), production("q", first)},
			Asked{Server: first, Environment: prod, Licenses: []string{"l1"}}, Match{How: ExactID, Instance: "p"}},
		"two production instances have the ID": {[]Instance{p, production("q", first)},
			Asked{Server: first, Environment: prod}, Match{How: Undecided, Candidates: []string{"p", "q"}}},
		"a retired one had the ID, one in use has it": {[]Instance{p.retired(), production("q", first)},
			Asked{Server: first}, Match{How: ExactID, Instance: "q"}},
		"only a retired one had the ID": {[]Instance{p.retired()}, Asked{Server: first}, Match{How: ExactID, Instance: "p"}},
		"the exact ID, but it replaces another": {[]Instance{p, production("q", other)},
			Asked{Server: first, Environment: prod, Servers: []license.Server{other}, OldServer: gone},
			Match{How: Undecided, Candidates: []string{"p", "q"}}},

		"new prefix, old one stopped": {[]Instance{p}, Asked{Server: second, Environment: prod, OldServer: gone},
			Match{How: Moved, Instance: "p"}},
		"new prefix, old one lost": {[]Instance{p}, Asked{Server: second, Environment: prod, OldServer: lost},
			Match{How: Moved, Instance: "p"}},
		"new prefix, old one running": {[]Instance{p}, Asked{Server: second, Environment: prod, OldServer: on},
			Match{How: Copied, From: "p"}},
		"new prefix, nobody says": {[]Instance{p}, Asked{Server: second, Environment: prod},
			Match{How: Undecided, Candidates: []string{"p"}}},
		"new prefix, the same server": {[]Instance{p}, Asked{Server: second, Environment: prod, OldServer: request.OldSame},
			Match{How: Undecided, Candidates: []string{"p"}}},
		"first prefix": {[]Instance{production("p", bare)}, Asked{Server: first, Environment: prod, OldServer: gone},
			Match{How: Moved, Instance: "p"}},
		"new prefix, of two instances": {[]Instance{p, production("q", second)},
			Asked{Server: third, Environment: prod, OldServer: gone}, Match{How: Undecided, Candidates: []string{"p", "q"}}},
		"new prefix, of two instances, one named": {[]Instance{p, production("q", second)},
			Asked{Server: third, Environment: prod, OldServer: gone, Servers: []license.Server{second}},
			Match{How: Moved, Instance: "q"}},
		"new prefix, the environment decides": {[]Instance{p, s}, Asked{Server: third, Environment: prod, OldServer: gone},
			Match{How: Moved, Instance: "p"}},
		"new prefix of staging": {[]Instance{p, s}, Asked{Server: third, Environment: stag, OldServer: gone},
			Match{How: Moved, Instance: "s"}},
		"a second staging beside one that runs": {[]Instance{p, s},
			Asked{Server: third, Environment: stag, OldServer: on}, Match{How: Copied, From: "p"}},
		"staging or a second one": {[]Instance{p, s}, Asked{Server: third, Environment: stag},
			Match{How: Undecided, From: "p", Candidates: []string{"s"}}},

		"new database, the license named": {[]Instance{licensed},
			Asked{Server: other, Environment: prod, OldServer: gone, Licenses: []string{"l1"}},
			Match{How: Replaced, Instance: "p"}},
		"new database, an old ID named": {[]Instance{production("p", first, second)},
			Asked{Server: other, Environment: prod, OldServer: lost, Servers: []license.Server{first}},
			Match{How: Replaced, Instance: "p"}},
		"new database, the old one running": {[]Instance{licensed},
			Asked{Server: other, Environment: prod, OldServer: on, Licenses: []string{"l1"}},
			Match{How: Undecided, Candidates: []string{"p"}}},
		"a renewal with another ID": {[]Instance{licensed}, Asked{Server: other, Licenses: []string{"l1"}},
			Match{How: Undecided, Candidates: []string{"p"}}},
		"staging replaces what is production's": {[]Instance{licensed},
			Asked{Server: other, Environment: stag, OldServer: gone, Licenses: []string{"l1"}},
			Match{How: Undecided, From: "p", Candidates: []string{"p"}}},

		"first staging, a copy of production": {[]Instance{p}, Asked{Server: second, Environment: stag},
			Match{How: Copied, From: "p"}},
		"first staging, which names production": {[]Instance{licensed},
			Asked{Server: other, Environment: stag, Licenses: []string{"l1"}}, Match{From: "p"}},
		"staging asks with production's current ID": {[]Instance{p}, Asked{Server: first, Environment: stag},
			Match{How: ProductionID, From: "p"}},
		"staging asks with production's current ID, one is known": {[]Instance{p, s},
			Asked{Server: first, Environment: stag}, Match{How: ProductionID, From: "p", Candidates: []string{"s"}}},
		"staging refreshed from production, its license named": {
			[]Instance{p, s.with(License{ID: "l2"})},
			Asked{Server: first, Environment: stag, OldServer: gone, Licenses: []string{"l2"}},
			Match{How: ProductionID, Instance: "s", Candidates: []string{"s"}}},
		"staging with production's current ID beside one that runs": {
			[]Instance{p, s.with(License{ID: "l2"})},
			Asked{Server: first, Environment: stag, OldServer: on, Licenses: []string{"l2"}},
			Match{How: ProductionID, From: "p", Candidates: []string{"s"}}},
		"staging asks with an ID that production had": {[]Instance{production("p", first, second)},
			Asked{Server: first, Environment: stag}, Match{How: Copied, From: "p"}},
		"production asks with the dataset of staging": {[]Instance{s}, Asked{Server: first, Environment: prod},
			Match{How: Undecided, Candidates: []string{"s"}}},
		"production asks with the ID of staging, its own moved": {[]Instance{p, s},
			Asked{Server: second, Environment: prod, OldServer: gone}, Match{How: Moved, Instance: "p"}},
	} {
		a := Account{Instances: test.instances}
		got := a.Match(test.asked)
		if got.How != test.want.How || got.Instance != test.want.Instance || got.From != test.want.From ||
			!slices.Equal(got.Candidates, test.want.Candidates) {
			t.Errorf("%s: got %+v, want %+v", name, got, test.want)
		}
	}
}

func TestRequestSaysWhatItIsFor(t *testing.T) {
	const id = "01ctf3v1bqy5yqv8zs4rk6w5hc"
	d := request.Details{Server: second, Replaces: "license “" + id + "” of " + string(first) + "."}
	named := Asked{Server: second, Licenses: license.ReadReference(d.Replaces).AnyCase(),
		Servers: []license.Server{first}}
	if !slices.Contains(named.Licenses, id) {
		t.Errorf("got licenses %q without the one that is named", named.Licenses)
	}
	for kind, want := range map[request.Kind]request.Environment{
		request.Evaluation: request.ProductionUse, request.New: request.ProductionUse,
		request.Upgrade: request.ProductionUse, request.Staging: request.StagingUse, request.Renewal: "",
	} {
		d.Kind, named.Environment = kind, want
		if got := AskedBy(request.Request{Details: d}); !reflect.DeepEqual(got, named) {
			t.Errorf("%s: got %+v, want %+v", kind, got, named)
		}
	}
	d.Kind, d.Environment, d.OldServer = request.Replacement, request.StagingUse, request.OldLost
	named.Environment, named.OldServer = d.Environment, d.OldServer
	if got := AskedBy(request.Request{Details: d}); !reflect.DeepEqual(got, named) {
		t.Errorf("replacement: got %+v, want %+v", got, named)
	}
}

func TestMovedAndBackIsOneInstance(t *testing.T) {
	for name, path := range map[string][]license.Server{
		"a 20-character ID": {bare, first, bare}, "a prefix": {first, second, third, first},
	} {
		a := Account{Instances: []Instance{production("p", path[0])}}
		for n, s := range path[1:] {
			got := a.Match(Asked{Server: s, Environment: request.ProductionUse, OldServer: request.OldStopped,
				Servers: []license.Server{path[n]}})
			if got.Instance != "p" {
				t.Fatalf("%s: %s after %s is %+v, want the instance", name, s, path[n], got)
			}
			a.Instances[0].Servers = append(a.Instances[0].Servers, ServerID{s, at(n + 2)})
			if now := a.Instances[0].Server(); now != s {
				t.Errorf("%s: the current ID is %s, want %s", name, now, s)
			}
		}
	}
}

// drawInstances draws instances that share few IDs, with one license each.
func drawInstances(t *rapid.T) (list []Instance) {
	servers := rapid.SampledFrom([]license.Server{bare, first, second, third, other, another})
	for n := range rapid.IntRange(0, 5).Draw(t, "instances") {
		id := string(rune('a' + n))
		i := production(id, rapid.SliceOfN(servers, 1, 3).Draw(t, "servers of "+id)...)
		if rapid.Bool().Draw(t, "staging "+id) {
			i.Environment = request.StagingUse
			i.Production = rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "production of "+id)
		}
		if rapid.IntRange(0, 3).Draw(t, "retired "+id) == 0 {
			i = i.retired()
		}
		list = append(list, i.with(License{ID: "l-" + id}))
	}
	return list
}

func TestMatchIsNeverAnUnrelatedInstance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Account{Instances: drawInstances(t)}
		asked := Asked{
			Server: rapid.SampledFrom([]license.Server{bare, first, second, third, other, another}).Draw(t, "server"),
			Environment: rapid.SampledFrom([]request.Environment{"", request.ProductionUse, request.StagingUse}).
				Draw(t, "environment"),
			OldServer: rapid.SampledFrom([]request.OldServer{"", request.OldStopped, request.OldRunning, request.OldLost,
				request.OldSame}).Draw(t, "old server"),
			Licenses: rapid.SliceOfN(rapid.SampledFrom([]string{"l-a", "l-b", "l-x"}), 0, 2).Draw(t, "licenses"),
			Servers: rapid.SliceOfN(rapid.SampledFrom([]license.Server{first, other, "DDDD3333-" + bare}), 0, 1).
				Draw(t, "servers"),
		}
		m := a.Match(asked)
		for _, id := range append(slices.Clone(m.Candidates), m.Instance) {
			if id == "" {
				continue
			}
			i := a.Instance(id)
			related := false
			for _, known := range i.Servers {
				related = related || known.Server.Dataset() == asked.Server.Dataset() ||
					slices.Contains(asked.Servers, known.Server)
			}
			related = related || slices.Contains(asked.Licenses, i.Licenses[0].ID)
			if p := a.Instance(i.Production); p != nil { // the ID of production, of which it is a copy
				related = related || p.Server() == asked.Server
			}
			if !related {
				t.Fatalf("%+v gives %+v: %s is unrelated", asked, m, id)
			}
		}
		if i := a.Instance(m.Instance); i != nil {
			if asked.Environment != "" && i.Environment != asked.Environment {
				t.Fatalf("%+v gives %+v, of the other environment", asked, m)
			}
			stopped := asked.OldServer == request.OldStopped || asked.OldServer == request.OldLost
			if !i.Had(asked.Server) && !stopped {
				t.Fatalf("%+v gives %+v: a new ID for an instance whose old server was not said to be gone", asked, m)
			}
		}
		if m.How == Undecided && (m.Instance != "" || len(m.Candidates) == 0) {
			t.Fatalf("%+v gives %+v: nothing to choose from, or chosen", asked, m)
		}
	})
}
