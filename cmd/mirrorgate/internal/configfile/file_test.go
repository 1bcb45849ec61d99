package configfile

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

var kinds = map[string]Kind{
	"sample": Single, "conns": Single, "admin": Single, "listen": List, "set-header": Headers, "target": Targets,
}

// shown writes a file as OPTION@LINE=VALUE@LINE|…, with the keys of targets.
func shown(f *File) string {
	var options []string
	for _, name := range slices.Sorted(maps.Keys(f.Options)) {
		var values []string
		for _, v := range f.Options[name].Values {
			text := fmt.Sprintf("%s@%d", v.Text, v.Line)
			for _, key := range slices.Sorted(maps.Keys(v.Keys)) {
				text += fmt.Sprintf("+%s@%d", key, v.Keys[key])
			}
			values = append(values, text)
		}
		options = append(options, fmt.Sprintf("%s@%d=%s", name, f.Options[name].Line, strings.Join(values, "|")))
	}
	return strings.Join(options, " ")
}

func TestParse(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		file, err := Parse("m.yaml", []byte(text), kinds)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if got := shown(file); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
	f("", "")
	f("  \n# nothing\n", "")
	f("---\n", "")
	f("sample: 10% # some\r\n\r\nconns: 64\r\n", "conns@3=64@3 sample@1=10%@1")
	f("sample: 0.10\nadmin: \"\"\n", "admin@2=@2 sample@1=0.10@1")
	f("{sample: .5, \"conns\": 0x10}", "conns@1=0x10@1 sample@1=.5@1")
	f("admin: true", "admin@1=true@1")
	f("admin: |\n  a\n  b\n", "admin@1=a\nb@1")
	f("listen: 127.0.0.1:1", "listen@1=127.0.0.1:1@1")
	f("listen: [a:1, 'b']", "listen@1=a:1@1|b@1")
	f("listen:\n  - a\n  # b\n  - c\n", "listen@1=a@2|c@4")
	f("listen: []", "listen@1=")
	f("set-header: 'A: 1'", "set-header@1=A: 1@1")
	f("set-header:\n  - A: 1\n  - \"B: x, y\"\n", "set-header@1=A: 1@2|B: x, y@3")
	f("set-header:\n  A: 1\n  \"B\": 'a: b'\n", "set-header@1=A: 1@2|B: a: b@3")
	f("target: http://a,rate=5/s", "target@1=http://a,rate=5/s@1")
	f("target:\n- a=http://a\n- name: b\n  url: http://b\n  weight: 3\n- {url: http://c, methods: GET+HEAD}\n",
		"target@1=a=http://a@2|b=http://b,weight=3@3+name@3+url@4+weight@5|http://c,methods=GET+HEAD@6+methods@6+url@6")
	f("target:\n  url: http://a\n", "target@1=http://a@2+url@2")
	f("target:\n  url: http://a\n  path: [/a/*, /b]\n  rewrite: {/a/: /b/}\n", "target@1=http://a,path=/a/*+/b,rewrite=/a/=/b/@2+path@3+rewrite@4+url@2")
	f("target:\n  url: http://a\n  set-header: {A: \"x, y+z\", B: 2}\n", "target@1=http://a,set-header=A:x%2C%20y%2Bz+B:2@2+set-header@3+url@2")
	f("target:\n  url: http://a\n  set-header: [\"A: x y\", B: 100%]\n", "target@1=http://a,set-header=A:x%20y+B:100%25@2+set-header@3+url@2")
}

func TestParseRejects(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		file, err := Parse("m.yaml", []byte(text), kinds)
		if err == nil {
			t.Errorf("%q is %s, want an error", text, shown(file))
		} else if got := err.Error(); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	const all = "should be one of admin, conns, listen, sample, set-header, target"
	f("sample 10%", "m.yaml:1: should be lines of OPTION: VALUE, like sample: 10%")
	f("\n- sample", "m.yaml:2: should be lines of OPTION: VALUE, like sample: 10%")
	f("sample: 1\nfoo: 2", "m.yaml:2: unknown option foo, "+all)
	f("\ntargets: 2", "m.yaml:2: unknown option targets, did you mean target?")
	f("set_header: 2", "m.yaml:1: unknown option set_header, did you mean set-header?")
	f("--sample: 2", "m.yaml:1: unknown option --sample, did you mean sample?")
	f("sample: 1\n\nsample: 2", `m.yaml:3: mapping key "sample" already defined at [1:1]`)
	f("sample: 'x", "m.yaml:1: could not find end character of single-quoted text")
	f("sample: 1\n---\nconns: 2\n", "m.yaml:3: a second document: put all options into one")
	f("\nlisten: "+strings.Repeat("[", 30_000), "m.yaml:2: more than 100 levels of lists and mappings")
	f("sample:", "m.yaml:1: sample has no value: give it one, or remove the line")
	f("sample: [1%]", "m.yaml:1: sample is a list, should be one value")
	f("sample:\n  a: b", "m.yaml:2: sample is a mapping, should be one value")
	f("listen: [[a]]", "m.yaml:1: listen is a list, should be one value")
	f("listen: [{a: b}]", "m.yaml:1: listen is a mapping, should be one value")
	f("set-header:\n- A: [secret]", "m.yaml:2: set-header A is a list, should be one value")
	f("set-header: &x secret", "m.yaml:1: set-header should be a plain value: anchors, aliases and tags are not known here")
	f("sample: !!str 5%", "m.yaml:1: sample should be a plain value: anchors, aliases and tags are not known here")
	const keys = "should be one of name, url, against, age, batch, conns, del-header, drop, group, host, hosts, http, mask, max, max-age, methods, noise, path, queue, rate, rewrite, sample, server-name, set-header, sync, timeout, tls-ca, tls-cert, tls-key, upgrade, weight"
	f("target:\n- url: http://a\n  wieght: 3\n", `m.yaml:3: unknown key "wieght", `+keys)
	f("target:\n- url: http://a\n  weight: x\n", `m.yaml:3: weight is "x", should be a whole number`)
	f("target:\n- url: http://a\n  timeout:\n", "m.yaml:3: timeout has no value: give it one, or remove the line")
	f("target:\n- url: http://a\n  host: a,b\n", `m.yaml:3: host is "a,b", should have no comma and no white space`)
	f("target:\n- http://a\n- name: b\n", "m.yaml:3: the target has no url, should be like url: http://staging:8080")
	f("target: http://a http://b", `m.yaml:1: target is "http://a http://b", should have no white space: give each target an entry of its own`)
	f("target: {}", "m.yaml:1: the target has no url, should be like url: http://staging:8080")
}

// Whatever is in the file: an error or options, no panic.
func FuzzParse(f *testing.F) {
	f.Add("sample: 10%\nlisten: [a, b]\nset-header:\n- A: 1\ntarget:\n- name: a\n  url: http://a\n  weight: 3\n")
	f.Add("target: {}\n")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := Parse("m.yaml", []byte(text), kinds)
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("the error has more than a line: %v", err)
		}
		if err == nil {
			shown(file)
		}
	})
}
