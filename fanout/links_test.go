package fanout

import (
	"strings"
	"testing"
)

func TestLinksAreValid(t *testing.T) {
	f := func(want string, targets ...string) {
		t.Helper()
		cfg := Config{Memory: 1 << 20}
		for i, text := range targets {
			tc, err := ParseTarget(text, DefaultTarget(), i+1)
			if err != nil {
				t.Fatal(err)
			}
			cfg.Targets = append(cfg.Targets, tc)
		}
		err := cfg.Validate()
		switch {
		case want == "" && err != nil:
			t.Errorf("%q: %v", targets, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: error is %v, want %q", targets, err, want)
		}
	}
	f("", "v1=http://a", "v2=http://b,against=v1")
	f("", "v2=http://b,against=v1", "v1=http://a")
	f("", "v1=http://a", "v1b=http://a", "v2=http://b,against=v1,noise=v1b", "v3=http://c,against=v1,noise=v1b")
	f("", "v1=http://a", "v2=http://b,against=v1", "v3=http://c,against=v2")
	f("", "v1=http://a,sample=10%", "v2=http://b,sample=1%,against=v1")
	f("", "v1=http://a,methods=GET+POST", "v2=http://b,methods=POST+PUT,against=v1")
	f("", "v1=http://a,group=old", "v2=http://b,group=new,against=v1")
	f("", "v1=http://a,against=production")
	f("--target v2: against is the target itself", "v1=http://a", "v2=http://b,against=v2")
	f(`--target v2: against is "v0", which is no target`, "v1=http://a", "v2=http://b,against=v0")
	f(`--target v2: noise is "v1b", which is no target`, "v1=http://a", "v2=http://b,against=v1,noise=v1b")
	f("--target v2: noise is the target itself", "v1=http://a", "v2=http://b,against=v1,noise=v2")
	f("--target v2: noise is v1, and so is against", "v1=http://a", "v2=http://b,against=v1,noise=v1")
	f("but against is production", "v1=http://a", "v2=http://b,noise=v1")
	f("shares group g by weight", "v1=http://a,group=g", "w=http://c,group=g", "v2=http://b,against=v1")
	f("shares group g by weight", "v1=http://a", "w=http://c,group=g", "v2=http://b,group=g,against=v1")
	f("against is v1, a recording, which has no responses", "v1=file:///tmp/a,max=1GiB", "v2=http://b,against=v1")
	f("a recording has no responses", "v1=http://a", "v2=file:///tmp/a,max=1GiB,against=v1")
	f("the sample of v1 is 0%", "v1=http://a,sample=0", "v2=http://b,against=v1")
	f("v2 has methods=POST and v1 has methods=GET", "v1=http://a,methods=GET", "v2=http://b,methods=POST,against=v1")
	f("v2 has path=/b* and v1 has path=/a*", "v1=http://a,path=/a*", "v2=http://b,path=/b*,against=v1")
	f("v1b has hosts=b.example", "v1=http://a,hosts=A.example", "v1b=http://b,hosts=b.example", "v2=http://b,hosts=a.example,against=v1,noise=v1b")
	f("", "v1=http://a,path=/a*+/c", "v2=http://b,path=/b+/*c,against=v1")
	f("", "v1=http://a,path=/a/b*", "v2=http://b,path=/a*,against=v1")
}

func TestCompareOptionsAreValid(t *testing.T) {
	f := func(want string, edit func(*Compare)) {
		t.Helper()
		c := DefaultCompare()
		edit(&c)
		if err := c.validate(); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("error is %v, want %q", err, want)
		}
	}
	f("", func(c *Compare) {})
	f("", func(c *Compare) { *c = Compare{} })
	f("", func(c *Compare) {
		c.Ignore, c.Routes, c.Mask, c.Unmask = []string{"header:x", "json:a[].b", "path:/health"}, []string{"GET /a/*"}, []string{"iban"}, []string{"cookie"}
	})
	f("--compare-body is -1", func(c *Compare) { c.Body = -1 })
	f("--compare-body is 5000000", func(c *Compare) { c.Body = 5000000 })
	f("--compare-cpu is -1", func(c *Compare) { c.CPU = -1 })
	f("--warmup is -1s", func(c *Compare) { c.Warmup = -1e9 })
	f("--ignore", func(c *Compare) { c.Ignore = []string{"x"} })
	f("--route", func(c *Compare) { c.Routes = []string{"x"} })
	f("--mask", func(c *Compare) { c.Mask = []string{""} })
	f("--unmask", func(c *Compare) { c.Unmask = []string{"x"} })
}
