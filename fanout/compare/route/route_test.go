package route

import (
	"bytes"
	"strings"
	"testing"
)

func TestName(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		method, target, _ := strings.Cut(in, " ")
		if got := string(Namer{}.AppendName(nil, []byte(method), []byte(target))); got != want {
			t.Errorf("%s: route is %q, want %q", in, got, want)
		}
	}
	f("GET /", "GET /")
	f("GET /api/users/42?verbose=1", "GET /api/users/{id}")
	f("GET /api/users/42/orders/7", "GET /api/users/{id}/orders/{id}")
	f("GET /v2/users", "GET /v2/users")
	f("GET /report/2024-01-31", "GET /report/{id}")
	f("GET /o/123e4567-e89b-12d3-a456-426614174000", "GET /o/{id}")
	f("GET /o/123E4567-E89B-12D3-A456-426614174000/", "GET /o/{id}/")
	f("GET /c/9f86d081884c7d65", "GET /c/{id}")
	f("GET /c/facade", "GET /c/facade")
	f("GET /c/deadbeef", "GET /c/deadbeef")
	f("GET /s/kJ8d0sQmZ3x7Lp2wVb9T", "GET /s/{id}")
	f("GET /blog/getting-started-2024-guide", "GET /blog/getting-started-2024-guide")
	f("GET /blog/"+strings.Repeat("long-", 20), "GET /blog/{id}")
	f("GET /a b/\xff", "GET /a%20b/%FF")
	f("OPTIONS *", "OPTIONS *")
	f("GET "+strings.Repeat("/deep", 60), Other)
	f("GET ", "GET ")
}

func TestPattern(t *testing.T) {
	f := func(pattern, in string, want bool) {
		t.Helper()
		p, err := ParsePattern(pattern)
		if err != nil {
			t.Fatal(err)
		}
		method, path, _ := strings.Cut(in, " ")
		if got := p.Match([]byte(method), []byte(path)); got != want {
			t.Errorf("%s matches %s: %v, want %v", pattern, in, got, want)
		}
	}
	f("GET /api/shops/*/orders", "GET /api/shops/7/orders", true)
	f("GET /api/shops/*/orders", "GET /api/shops/berlin/orders", true)
	f("GET /api/shops/*/orders", "GET /api/shops//orders", false)
	f("GET /api/shops/*/orders", "GET /api/shops/7/orders/1", false)
	f("GET /api/shops/*/orders", "GET /api/shops/7", false)
	f("GET /api/shops/*/orders", "POST /api/shops/7/orders", false)
	f("* /a", "PUT /a", true)
	f("* /", "PUT /", true)
	f("* /", "PUT /a", false)

	bad := func(pattern, want string) {
		t.Helper()
		if _, err := ParsePattern(pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error is %v, want %q", pattern, err, want)
		}
	}
	bad("/api", "want a method and a path")
	bad("GET api", "want a method and a path")
	bad("GET /a?b", "want a method and a path")
	bad("GET /a*", "stands for a whole segment")
	bad("", "want a method and a path")
}

func TestPatternNames(t *testing.T) {
	p, err := ParsePattern("GET /api/shops/*/orders")
	if err != nil {
		t.Fatal(err)
	}
	n := Namer{Patterns: []Pattern{p}}
	if got := string(n.AppendName(nil, []byte("GET"), []byte("/api/shops/berlin/orders?x=/"))); got != p.String() {
		t.Errorf("route is %q, want %q", got, p)
	}
}

func TestNameAllocatesNothing(t *testing.T) {
	dst, method, target := make([]byte, 0, 2*maxName), []byte("GET"), []byte("/api/users/42/orders?page=2")
	if n := testing.AllocsPerRun(1000, func() { Namer{}.AppendName(dst, method, target) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzName(f *testing.F) {
	f.Add([]byte("GET"), []byte("/api/users/42?x=1"))
	f.Add([]byte("\xff"), []byte("//a/%2f/123e4567-e89b-12d3-a456-426614174000"))
	f.Fuzz(func(t *testing.T, method, target []byte) {
		name := Namer{}.AppendName(nil, method, target)
		for _, c := range name {
			if c < ' ' || c > '~' {
				t.Fatalf("%q has a byte that is not printable", name)
			}
		}
		if bytes.ContainsRune(name, '?') && !bytes.ContainsRune(method, '?') {
			t.Fatalf("%q has a query", name)
		}
	})
}

func BenchmarkName(b *testing.B) {
	dst, method, target := make([]byte, 0, 2*maxName), []byte("GET"), []byte("/api/users/42/orders?page=2")
	b.SetBytes(int64(len(target)))
	b.ReportAllocs()
	for b.Loop() {
		Namer{}.AppendName(dst, method, target)
	}
}
