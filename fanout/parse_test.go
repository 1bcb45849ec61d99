package fanout

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseTarget(t *testing.T) {
	f := func(text string, edit func(*TargetConfig)) {
		t.Helper()
		want := DefaultTarget()
		want.Name = "t3"
		want.URL = &url.URL{Scheme: "http", Host: "h:80"}
		edit(&want)
		got, err := ParseTarget(text, DefaultTarget(), 3)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			return
		}
		if err := got.validate(); err != nil {
			t.Errorf("%s is not valid: %v", text, err)
		}
		if got.URL.String() != want.URL.String() || !slices.Equal(got.Methods, want.Methods) {
			t.Errorf("%s: got %s %q, want %s %q", text, got.URL, got.Methods, want.URL, want.Methods)
		}
		got.URL, got.Methods, want.URL, want.Methods = nil, nil, nil, nil
		if a, b := got, want; !equalTargets(a, b) {
			t.Errorf("%s:\n got %+v\nwant %+v", text, a, b)
		}
	}
	f("http://h:80", func(c *TargetConfig) {})
	f("stg=http://h:80", func(c *TargetConfig) { c.Name = "stg" })
	f("http://h:80/a=b", func(c *TargetConfig) { c.URL.Path = "/a=b" })
	f("https://[::1]:8443/p/", func(c *TargetConfig) { c.URL = &url.URL{Scheme: "https", Host: "[::1]:8443", Path: "/p/"} })
	f("http://h:80,group=v2,weight=3", func(c *TargetConfig) { c.Group, c.Weight = "v2", 3 })
	f("http://h:80,sample=25%,rate=200/s", func(c *TargetConfig) { c.Sample, c.Rate = .25, 200 })
	f("http://h:80,conns=1,batch=2,queue=3", func(c *TargetConfig) { c.Conns, c.Batch, c.Queue = 1, 2, 3 })
	f("http://h:80,drop=oldest", func(c *TargetConfig) { c.Drop = DropOldest })
	f("http://h:80,timeout=250ms,max-age=1m", func(c *TargetConfig) { c.Timeout, c.MaxAge = 250*time.Millisecond, time.Minute })
	f("http://h:80,host=target", func(c *TargetConfig) { c.Host = HostTarget })
	f("http://h:80,host=a.example:81", func(c *TargetConfig) { c.Host = "a.example:81" })
	f("http://h:80,methods=GET+HEAD", func(c *TargetConfig) { c.Methods = []string{"GET", "HEAD"} })
	f("http://h:80,methods=all", func(c *TargetConfig) {})
	f("http://h:80,sample=1,sample=0.5", func(c *TargetConfig) { c.Sample = .5 })

	bad := func(text, want string) {
		t.Helper()
		c, err := ParseTarget(text, DefaultTarget(), 1)
		if err == nil {
			err = c.validate()
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error is %v, want one line with %q", text, err, want)
		}
	}
	bad("", "the URL should be like http://host:8080")
	bad("h:80", `the URL "h:80" has no scheme, should be like http://h:80`)
	bad("10.0.0.1:80", "should be like http://10.0.0.1:80")
	bad("u:secret@h", "the URL has no scheme, should be like http://host:8080")
	bad("ftp://h", "like http://host:8080")
	bad("http://", "like http://host:8080")
	bad("http://h:port", `cannot read URL "http://h:port"`)
	bad("http://h:0", "port is 0, should be from 1 to 65535")
	bad("http://h:65536", "port is 65536")
	bad("http://h/a?b", "has a query or a fragment")
	bad("http://h/a?", "has a query or a fragment")
	bad("http://h/#a", "has a query or a fragment")
	bad("http://user:secret@h/", "use --set-header to send credentials")
	bad("a b=http://h", `name is "a b", should be of letters`)
	bad("=http://h", `name is ""`)
	bad("http://h,group=a b", `group is "a b"`)
	bad("http://h,conns", `"conns" should be key=value`)
	bad("http://h,colour=red", `unknown key "colour", should be one of against, age, batch, conns, del-header, drop,`)
	bad("http://h,weight=x", `weight is "x", should be a whole number`)
	bad("http://h,weight=0", "weight is 0, should be from 1 to 1048576")
	bad("http://h,sample=150%", `sample is "150%", should be a share like 25% or 0.25`)
	bad("http://h,rate=fast", `rate is "fast", should be requests a second like 200/s`)
	bad("http://h,conns=0", "conns is 0, should be from 1 to 65535")
	bad("http://h,conns=65536", "conns is 65536")
	bad("http://h,batch=0", "batch is 0, should be from 1 to 1024")
	bad("http://h,batch=1025", "batch is 1025")
	bad("http://h,queue=0", "queue is 0, should be from 1")
	bad("http://h,queue=16777217", "queue is 16777217")
	bad("http://h,drop=all", `drop is "all", should be one of newest, oldest`)
	bad("http://h,timeout=5", `timeout is "5", should be a duration like 500ms or 5s`)
	bad("http://h,timeout=0s", "timeout is 0s, should be like 5s")
	bad("http://h,max-age=-1s", "max-age is -1s, should be like 10s")
	bad("http://h,timeout=24h1s", "timeout is 24h0m1s, should be a day (24h) at most")
	bad("http://h,max-age=48h", "max-age is 48h0m0s, should be a day (24h) at most")
	bad("http://h,host=", `host is "", should be keep, target or a host name`)
	bad("http://h,host=a b", `host is "a b"`)
	bad("http://h,methods=GET+", `methods has "", should be like GET+HEAD`)
	bad("http://h,methods=GET HEAD", `methods has "GET HEAD"`)
}

func equalTargets(a, b TargetConfig) bool {
	return a.Name == b.Name && a.Group == b.Group && a.Weight == b.Weight && a.Sample == b.Sample && a.Rate == b.Rate &&
		a.Conns == b.Conns && a.Batch == b.Batch && a.Queue == b.Queue && a.Drop == b.Drop && a.Timeout == b.Timeout &&
		a.MaxAge == b.MaxAge && a.Host == b.Host
}

// What the text does not say is taken from the defaults.
func TestParseTargetDefaults(t *testing.T) {
	defaults := DefaultTarget()
	defaults.Batch, defaults.Host, defaults.Methods = 5, HostTarget, []string{"GET"}
	c, err := ParseTarget("http://h,conns=2", defaults, 1)
	if err != nil || c.Batch != 5 || c.Host != HostTarget || c.Conns != 2 || !slices.Equal(c.Methods, []string{"GET"}) {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestParseShare(t *testing.T) {
	f := func(text string, want float64, written string) {
		t.Helper()
		got, err := ParseShare(text)
		if err != nil || got != want || FormatShare(got) != written {
			t.Errorf("%q: got %v, %v, written %s; want %v, written %s", text, got, err, FormatShare(got), want, written)
		}
	}
	f("0", 0, "0%")
	f("0%", 0, "0%")
	f("1", 1, "100%")
	f("100%", 1, "100%")
	f("25%", .25, "25%")
	f("0.25", .25, "25%")
	f("7%", .07, "7%")
	f("0.1%", .001, "0.1%")
	f("0.0001%", .000001, "0.0001%")
	bad := func(text string) {
		t.Helper()
		if got, err := ParseShare(text); err == nil || !strings.Contains(err.Error(), "should be a share like 25%") {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "%", "x", "-1%", "-0.1", "1.01", "101%", "25%%", "25 %", "NaN", "inf", "25/100"} {
		bad(text)
	}
}

func TestParseRate(t *testing.T) {
	f := func(text string, want float64) {
		t.Helper()
		if got, err := ParseRate(text); err != nil || got != want {
			t.Errorf("%q: got %v, %v; want %v", text, got, err, want)
		}
	}
	f("200/s", 200)
	f("200", 200)
	f("0.5/s", .5)
	f("none", 0)
	f("0", 0)
	for _, text := range []string{"", "/s", "x", "-1", "-1/s", "200/m", "200/h", "NaN", "inf", "nan/s"} {
		if got, err := ParseRate(text); err == nil || !strings.Contains(err.Error(), "should be requests a second like 200/s") {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
}

func TestParseSampleKey(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got, err := ParseSampleKey(text); err != nil || got.String() != want {
			t.Errorf("%q: got %s, %v; want %s", text, got, err, want)
		}
	}
	f("random", "random")
	f("path", "path")
	f("header:X-User", "header:x-user")
	f("cookie:Session", "cookie:Session")
	for _, text := range []string{"", "Random", "header", "header:", "header:a b", "cookie:", "cookie:a=b", "path:/a", "random:1", "query:a"} {
		if got, err := ParseSampleKey(text); err == nil || !strings.Contains(err.Error(), "should be random, path, header:NAME or cookie:NAME") {
			t.Errorf("%q: got %s, %v", text, got, err)
		}
	}
}

func TestValidate(t *testing.T) {
	validate := func(edit func(*Config), specs ...string) error {
		c := Config{Memory: 1 << 20}
		for i, spec := range specs {
			tc, err := ParseTarget(spec, DefaultTarget(), i+1)
			if err != nil {
				t.Fatal(err)
			}
			c.Targets = append(c.Targets, tc)
		}
		edit(&c)
		return c.Validate()
	}
	asIs := func(*Config) {}
	good := func(edit func(*Config), specs ...string) {
		t.Helper()
		if err := validate(edit, specs...); err != nil {
			t.Errorf("%q: %v", specs, err)
		}
	}
	good(asIs, "http://a", "http://b")
	good(asIs, "http://a,group=g,sample=10%,methods=GET", "http://b,group=g,sample=0.1,methods=GET,queue=7")
	good(asIs, "http://a,group=g,sample=10%", "http://b,sample=20%", "http://c,group=h,sample=30%")
	good(func(c *Config) {
		c.SetHeaders = []Header{{Name: "X-A"}, {Name: "X-B", Value: "caf\xc3\xa9 \t"}}
		c.DelHeaders = []string{"Cookie"}
	}, "http://a")

	bad := func(want string, edit func(*Config), specs ...string) {
		t.Helper()
		if err := validate(edit, specs...); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: error is %v, want one line with %q", specs, err, want)
		}
	}
	bad("--target is missing: name at least one", asIs)
	bad("--memory is 0, should be", func(c *Config) { c.Memory = 0 }, "http://a")
	bad("--memory is -1", func(c *Config) { c.Memory = -1 }, "http://a")
	bad("--target x: the name is taken by another target", asIs, "x=http://a", "x=http://b")
	bad("--target t2: the name is taken", asIs, "t2=http://a", "http://b")
	bad("--target t2: sample is 20% here but 10% at t1, and both are in group g", asIs, "http://a,group=g,sample=10%", "http://b,group=g,sample=20%")
	bad("--target t2: methods are not those of t1, and both are in group g", asIs, "http://a,group=g,methods=GET", "http://b,group=g,methods=HEAD")
	bad("--target b: group a is also the name of a target without a group", asIs, "a=http://a", "b=http://b,group=a")
	bad("--target a: group a is also the name of a target without a group", asIs, "b=http://b,group=a", "a=http://a")
	bad("--target t2: weight is 0", asIs, "http://a", "http://b,weight=0")
	set := func(name, value string) func(*Config) {
		return func(c *Config) { c.SetHeaders = []Header{{Name: name, Value: value}} }
	}
	bad(`--set-header: "a" is no header name`, set("a b", ""), "http://a")
	bad(`--set-header: "" is no header name`, set("", ""), "http://a")
	bad("--set-header X-A: the value has a byte that HTTP forbids", set("X-A", "a\r\nb: c"), "http://a")
	for _, name := range []string{"Host", "Content-Length", "X-Mirrored-By"} {
		bad("--set-header "+name+": mirrorgate sets this field itself", set(name, "x"), "http://a")
		bad("--del-header "+name+": mirrorgate sets this field itself", func(c *Config) { c.DelHeaders = []string{name} }, "http://a")
	}
	bad(`--del-header: "a:" is no header name`, func(c *Config) { c.DelHeaders = []string{"a:"} }, "http://a")
	if _, err := New(Config{}); err == nil {
		t.Error("New takes what Validate does not")
	}
}

func TestDescribe(t *testing.T) {
	f := newFanout(t, nil, "stg=http://stg:8080,sample=10%", "a=http://a,group=v2,weight=3,methods=GET+HEAD", "b=http://b,group=v2,methods=GET+HEAD", "c=http://c,group=v3")
	defer drain(t, f)
	want := []string{
		"mirroring 10% of requests to stg=http://stg:8080",
		"mirroring 100% of GET+HEAD requests to group v2 (2 targets) a=http://a 75%, b=http://b 25%",
		"mirroring 100% of requests to group v3 (1 targets) c=http://c",
	}
	if got := f.Describe(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
