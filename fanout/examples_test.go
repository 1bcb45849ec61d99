package fanout

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// An example has the request and both responses, secrets masked, of the fields that
// differ otherwise than noise does.
func TestExamples(t *testing.T) {
	serves := func(body string) string { return listen(t, func(c *rawConn) { c.serve(jsonResponse(body)) }).url }
	targets := []string{
		"v1=" + serves(`{"price":19.99,"at":1,"token":"hunter2"}`), "v1b=" + serves(`{"price":19.99,"at":2,"token":"hunter2"}`),
		"v2=" + serves(`{"price":0.0,"at":3,"token":"hunter2"}`) + ",against=v1,noise=v1b",
	}
	f := newFanout(t, comparesAll, targets...)
	post := request("POST", "/cart/42?password=hunter2&x=1", `{"secret":"hunter2"}`, "host", "h", "authorization", "Bearer hunter2", "content-type", "application/json")
	f.Submit([]codec.Request{post})
	drain(t, f)
	all, err := f.Examples("v2", "", "body: price")
	if err != nil || len(all) != 1 {
		t.Fatalf("%d examples, %v", len(all), err)
	}
	e := all[0]
	text := fmt.Sprintf("%+v", *e)
	if strings.Contains(text, "hunter2") {
		t.Errorf("a secret is kept: %s", text)
	}
	for _, want := range []string{"POST", "/cart/42?password=masked:", "&x=1", "host: h", "authorization: Bearer masked:", `{"secret":"masked:`, "Status:200", `{"price":19.99,"at":1,`, `{"price":0.0,"at":3,`} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %s", want, text)
		}
	}
	if len(e.Fields) != 1 || e.Route != "POST /cart/{id}" {
		t.Errorf("fields of %s: %v", e.Route, e.Fields)
	}
	if all, _ := f.Examples("v2", "", "body: at"); len(all) != 0 {
		t.Errorf("%d examples of noise", len(all))
	}
	if held := f.memory.examples.Load(); held < 100 {
		t.Errorf("%d bytes are counted", held)
	}

	off := newFanout(t, func(c *Config) {
		comparesAll(c)
		c.Compare.NoExamples = true
	}, targets...)
	off.Submit([]codec.Request{post})
	drain(t, off)
	if all, err := off.Examples("v2", "", ""); err != nil || len(all) != 0 {
		t.Errorf("%d examples although there should be none, %v", len(all), err)
	}
}
