package wire

import (
	"strings"
	"testing"
)

func TestValidate(t *testing.T) {
	f := func(o Options, want string) {
		t.Helper()
		err := o.Validate()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%+v: error is %v, want %q", o, err, want)
		}
	}
	set := func(name, value string) Options { return Options{SetHeaders: []Header{{name, value}}} }
	del := func(name string) Options { return Options{DelHeaders: []string{name}} }
	f(Options{}, "")
	f(set("X-Env", "shadow"), "")
	f(set("x_forwarded_for", "1"), "")
	f(del("Cookie"), "")
	f(set("X Env", "x"), `--set-header: "X" is no header name`)
	f(set("X-Env", "a\nb"), "--set-header X-Env: the value has a byte that HTTP forbids")
	f(del(""), `--del-header: "" is no header name`)
	for _, name := range []string{"Host", "content-length", "Content_Length", "X-Mirrored-By", "x_mirrored-by"} {
		f(set(name, "x"), "--set-header "+name+": mirrorgate sets this field itself")
		f(del(name), "--del-header "+name+": mirrorgate sets this field itself")
	}
	for _, name := range []string{"X-Forwarded-For", "x_forwarded_for"} {
		o := del(name)
		o.ForwardedFor = ForwardedSet
		f(o, "--forwarded-for set writes this field")
	}
}
