package site

import (
	"testing"
	"testing/synctest"

	"marketplace/shared/mail/letter"
	"marketplace/shared/table/tabletest"
)

func TestPagesReadInTwoRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rounds := &tabletest.Rounds{Table: &tabletest.Memory{}}
		env := newTestEnvOver(t, rounds)
		r, _ := env.fileForm()
		waiting, _ := env.fileUnconfirmed("company", "Waiting")
		env.issueFor(r, "01c7wnn8g0aaaaaaaaaaaaaaaa", "01c7wnn8g0bbbbbbbbbbbbbbbb")
		for _, page := range []struct {
			at     string
			rounds int
		}{
			{letter.StatusPath(r), 2}, {letter.StatusPath(waiting), 2}, {confirmPath(waiting), 4}, {apiPath + "/" + r.ID + "?token=" + r.Token, 2}, {apiPath + "/" + r.ID, 1},
			{"/request/developer?serverId=AWHW8w9JtzBzSrmf9GQX", 0},
		} {
			rounds.Reset()
			env.get(page.at).WantStatus(200)
			for _, read := range rounds.Reads() {
				if read.Round > page.rounds {
					t.Errorf("%s: got %v, want %d rounds of reads", page.at, rounds.Reads(), page.rounds)
					break
				}
			}
		}
		rounds.Reset()
		env.send("/request/developer", withValues(validForm(), "company", "Another")).WantStatus(303)
		got := rounds.Reads()
		if len(got) != 2 || got[0].Round != 1 || got[1].Round != 1 {
			t.Errorf("got reads %v when a form is sent, want the limits of its address and domain at once", got)
		}
	})
}
