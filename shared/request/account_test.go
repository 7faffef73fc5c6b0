package request

import (
	"testing"

	"marketplace/shared/license"
)

var held = Held{
	License: "l1", Edition: license.Developer, Server: "AWHW8w9JtzBzSrmf9GQX", MaxLoc: 500_000,
	Environment: ProductionUse, ProductVersion: "6.7.5", Name: "Ada", Email: "ada@acme.example", Company: "Acme AG",
}

func TestWhatIsOnRecordNeedNotBeTyped(t *testing.T) {
	for name, tt := range map[string]struct {
		form  HeldForm
		check func(Details) bool
	}{
		"renewal": {HeldForm{Kind: Renewal, WantedLoc: "500000"},
			func(d Details) bool { return d.Server == held.Server && d.WantedLoc == 500_000 }},
		"more lines": {HeldForm{Kind: Upgrade, Edition: "developer", WantedLoc: "1000000", Loc: "612'000"},
			func(d Details) bool { return d.WantedLoc == 1_000_000 && d.Loc == 612_000 }},
		"larger edition": {HeldForm{Kind: Upgrade, Edition: "enterprise", WantedLoc: "500000"},
			func(d Details) bool { return d.Edition == license.Enterprise }},
		"another server ID": {
			HeldForm{Kind: Replacement, Server: "5B7F9D3C-AWHW8w9JtzBzSrmf9GQX", OldServer: "stopped"},
			func(d Details) bool {
				return d.Server == "5B7F9D3C-AWHW8w9JtzBzSrmf9GQX" && d.Environment == ProductionUse &&
					d.OldServer == OldStopped
			}},
		"staging": {HeldForm{Kind: Staging, Server: "AWHW8w9JtzBzSrmf9GQZ"},
			func(d Details) bool { return d.Server == "AWHW8w9JtzBzSrmf9GQZ" && d.Environment == "" }},
	} {
		d, err := tt.form.Accept(held)
		if err != nil || !tt.check(d) || d.Replaces != "l1" || d.Email != held.Email || d.Company != held.Company ||
			d.ProductVersion != "6.7.5" {
			t.Errorf("%s: got %+v, %v", name, d, err)
		}
	}
}

func TestHeldFormRefusesAtTheField(t *testing.T) {
	for name, tt := range map[string]struct {
		form  HeldForm
		field string
	}{
		"renewal without lines":    {HeldForm{Kind: Renewal}, "wantedLoc"},
		"fewer lines than counted": {HeldForm{Kind: Renewal, Loc: "600000", WantedLoc: "500000"}, "wantedLoc"},
		"upgrade to the same":      {HeldForm{Kind: Upgrade, Edition: "developer", WantedLoc: "500000"}, "wantedLoc"},
		"fewer lines than today":   {HeldForm{Kind: Upgrade, Edition: "enterprise", WantedLoc: "100000"}, "wantedLoc"},
		"upgrade to a smaller one": {HeldForm{Kind: Upgrade, Edition: "community", WantedLoc: "900000"}, "edition"},
		"upgrade to nothing":       {HeldForm{Kind: Upgrade, WantedLoc: "900000"}, "edition"},
		"the same server ID": {HeldForm{Kind: Replacement, Server: string(held.Server), OldServer: "lost"},
			"serverId"},
		"no server ID":             {HeldForm{Kind: Staging}, "serverId"},
		"old server left open":     {HeldForm{Kind: Replacement, Server: "AWHW8w9JtzBzSrmf9GQZ"}, "oldServer"},
		"lines that are no number": {HeldForm{Kind: Staging, Server: "AWHW8w9JtzBzSrmf9GQZ", Loc: "many"}, "ncloc"},
		"message with a NUL":       {HeldForm{Kind: Renewal, WantedLoc: "500000", Message: "a\x00"}, "message"},
		"lost key as a move": {HeldForm{Kind: Replacement, Server: "AWHW8w9JtzBzSrmf9GQZ", OldServer: "same"},
			"oldServer"},
	} {
		if _, err := tt.form.Accept(held); !hasField(err, tt.field) {
			t.Errorf("%s: got %v, want an error at %s", name, err, tt.field)
		}
	}
}
