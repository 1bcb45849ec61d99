package e2e

import (
	"fmt"
	"maps"
	"testing"

	"github.com/valyala/fasthttp"
)

// Two agents see the same traffic; each has a target for 5% and one for 10% of
// the users.
func TestHAProxySampledUsersAgree(t *testing.T) {
	const users, requestsEach = 1000, 3
	groups := map[string][]string{"five": {"five"}, "ten": {"ten"}}
	origin := startRecorder(t)
	var agents []*agent
	var fives, tens []*recorder
	for range 2 {
		five, ten := startRecorder(t), startRecorder(t)
		fives, tens = append(fives, five), append(tens, ten)
		agents = append(agents, startAgent(t, "--sample-by", "header:x-user",
			"--target", "five="+five.url()+",sample=5%", "--target", "ten="+ten.url()+",sample=10%"))
	}
	c := newCrowd(startProxy(t, sizedSPOE, origin.addr(), agents...))
	c.run(20, upTo(users*requestsEach), func(n int64, req *fasthttp.Request) {
		req.Header.Set("X-User", fmt.Sprintf("user-%d", n%users))
	})
	c.unharmed(t)
	for _, a := range agents {
		a.atRest(users*requestsEach, groups)
	}

	five, ten := usersOf(fives[0]), usersOf(tens[0])
	if !maps.Equal(five, usersOf(fives[1])) || !maps.Equal(ten, usersOf(tens[1])) {
		t.Error("the agents do not agree")
	}
	for user, n := range ten {
		if n != requestsEach {
			t.Errorf("%s is in with %d of %d requests", user, n, requestsEach)
		}
	}
	for user, n := range five {
		if ten[user] != n {
			t.Errorf("%s is in at 5%%, but not at 10%%", user)
		}
	}
	// The users are always the same, so this cannot fail by chance.
	if len(five) < 30 || len(five) > 70 || len(ten) < 70 || len(ten) > 130 {
		t.Errorf("%d and %d of %d users are in at 5%% and 10%%", len(five), len(ten), users)
	}
}

func usersOf(r *recorder) map[string]int {
	users := map[string]int{}
	for _, req := range r.all() {
		users[req.header("x-user")]++
	}
	return users
}
