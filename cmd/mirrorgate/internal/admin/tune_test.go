package admin

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var twoGroups = []string{"staging=http://127.0.0.1:1", "a=http://127.0.0.1:1,group=v2,weight=3,sample=50%", "b=http://127.0.0.1:1,group=v2,sample=50%,rate=20/s"}

// Whatever is wrong with a PATCH: a status, a sentence, and nothing changed.
func TestPatchRefuses(t *testing.T) {
	s := newServer(t, twoGroups...)
	before := get(t, s, "/api/targets")
	f := func(path, body string, wantStatus int, want string, header ...string) {
		t.Helper()
		status, response := ask(s, http.MethodPatch, path, body, header...)
		var e apiError
		if err := json.Unmarshal([]byte(response), &e); err != nil {
			t.Errorf("%s %s answers %d and %s: %v", path, body, status, response, err)
		} else if status != wantStatus || e.Error != want {
			t.Errorf("%s %s answers %d and\n%s\nwant %d and\n%s", path, body, status, e.Error, wantStatus, want)
		}
		if after := get(t, s, "/api/targets"); after != before {
			t.Errorf("%s %s changed\n%s to\n%s", path, body, before, after)
		}
	}
	const bad, notFound, forbidden = http.StatusBadRequest, http.StatusNotFound, http.StatusForbidden
	const group, target = "/api/groups/v2", "/api/targets/a"
	const noObject = `the body should be one JSON object like {"sample":"2%","for":"10m"}`
	f(group, "", bad, noObject)
	f(group, "null", bad, noObject)
	f(group, "sample=2%", bad, noObject)
	f(group, `["2%"]`, bad, noObject)
	f(group, `{"sample":"2%"`, bad, noObject)
	f(group, `{"sample":"2%"}{"sample":"3%"}`, bad, noObject)
	f(group, `{"sample":"2%"}x`, bad, noObject)
	f(group, `{}`, bad, "there is nothing to change: give one of for, sample")
	f(group, `{"for":"10m"}`, bad, "there is nothing to change: give one of for, sample")
	f(group, `{"sample":"2%","rate":"5/s"}`, bad, `unknown key "rate", should be one of for, sample`)
	f(group, `{"sample":"200%"}`, bad, `sample is "200%", should be a share like 25% or 0.25`)
	f(group, `{"sample":2}`, bad, `sample is "2", should be a share like 25% or 0.25`)
	f(group, `{"sample":-0.1}`, bad, `sample is "-0.1", should be a share like 25% or 0.25`)
	f(group, `{"sample":"NaN"}`, bad, `sample is "NaN", should be a share like 25% or 0.25`)
	f(group, `{"sample":null}`, bad, "sample is null, should be a text, a number, true or false")
	f(group, `{"sample":{}}`, bad, "sample is {}, should be a text, a number, true or false")
	f(group, `{"sample":"2%","for":"soon"}`, bad, `for is "soon", should be a time above 0, like 30s or 10m`)
	f(group, `{"sample":"2%","for":"0s"}`, bad, `for is "0s", should be a time above 0, like 30s or 10m`)
	f(group, `{"sample":"2%","for":"-5m"}`, bad, `for is "-5m", should be a time above 0, like 30s or 10m`)
	f(group, `{"sample":"2%","for":"25h"}`, bad, `for is "25h", should be a day (24h) at most; without it a change stays until the configuration is read again`)
	f(group, `{"sample":"2%","for":600}`, bad, `for is "600", should be a time above 0, like 30s or 10m`)
	f(target, `{"rate":"5/s","weight":0}`, bad, "weight is 0, should be from 1 to 1048576")
	f(target, `{"rate":"5/s","weight":1.5}`, bad, `weight is "1.5", should be a whole number from 1 on`)
	f(target, `{"rate":"fast","weight":2}`, bad, `rate is "fast", should be requests a second like 200/s`)
	f(target, `{"rate":"5/s","paused":"perhaps"}`, bad, `paused is "perhaps", should be true or false`)
	f(target, `{"rate":"5/s","sample":"2%"}`, bad, `unknown key "sample", should be one of for, paused, rate, weight`)
	f("/api/groups/a", `{"sample":"2%"}`, notFound, `unknown name: there is no group "a", but staging, v2`)
	f("/api/targets/v2", `{"weight":2}`, notFound, `unknown name: there is no target "v2", but a, b, staging`)
	f(target, `{"weight":2}`, forbidden, "a page of another origin may not change anything here", "Origin", "http://evil.example")
	f(target, `{"weight":2}`, forbidden, "a page of another origin may not change anything here", "Origin", "http://127.0.0.1:80")
	f(target, `{"weight":2}`, forbidden, "a page of another origin may not change anything here", "Origin", "null")
	f(target, `{"weight":2}`, forbidden, "a page of another origin may not change anything here", "Sec-Fetch-Site", "cross-site")
}

func TestPatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, twoGroups...)
		patch := func(path, body string, header ...string) Tuned {
			t.Helper()
			status, response := ask(s, http.MethodPatch, path, body, header...)
			var tuned Tuned
			if err := json.Unmarshal([]byte(response), &tuned); err != nil || status != http.StatusOK {
				t.Fatalf("%s %s answers %d and %s", path, body, status, response)
			}
			return tuned
		}
		has := func(want ...string) {
			t.Helper()
			response := get(t, s, "/api/targets")
			for _, w := range want {
				if !strings.Contains(response, w) {
					t.Errorf("%s is not in %s", w, response)
				}
			}
		}
		f := func(tuned Tuned, want ...Change) {
			t.Helper()
			if len(tuned.Changes) != len(want) {
				t.Fatalf("it says %v, want %v", tuned.Changes, want)
			}
			for i := range want {
				if tuned.Changes[i] != want[i] {
					t.Errorf("it says %v, want %v", tuned.Changes[i], want[i])
				}
			}
		}
		const a, b = "/api/targets/a", "/api/targets/b"
		has(`"name":"v2","sample":"50%"`, `"weight":3,"rate":"none","paused":false`)
		f(patch(b, `{"rate":"5/s","weight":"2","paused":true}`),
			Change{"paused", "false", "true"}, Change{"rate", "20/s", "5/s"}, Change{"weight", "1", "2"})
		has(`"weight":2,"rate":"5/s","paused":true`)
		f(patch(b, `{"rate":"none","paused":false}`, "Origin", "http://127.0.0.1:12346", "Content-Type", "text/plain"),
			Change{"paused", "true", "false"}, Change{"rate", "5/s", "none"})
		f(patch(a, `{"rate":0.5}`, "Sec-Fetch-Site", "same-origin"), Change{"rate", "none", "0.5/s"})

		now := time.Now()
		tuned := patch("/api/groups/v2", `{"sample":0.02,"for":"10m"}`, "Content-Type", "application/x-www-form-urlencoded")
		f(tuned, Change{"sample", "50%", "2%"})
		if tuned.Until == nil || !tuned.Until.Equal(now.Add(10*time.Minute)) {
			t.Errorf("until %v, want 10 minutes after %v", tuned.Until, now)
		}
		has(`"name":"v2","sample":"2%","sample_until":"`)
		time.Sleep(10*time.Minute - time.Second)
		has(`"name":"v2","sample":"2%"`)
		time.Sleep(time.Second)
		synctest.Wait()
		has(`"name":"v2","sample":"50%","targets"`)
	})
}
