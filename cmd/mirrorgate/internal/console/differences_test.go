package console

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/difference"
	"github.com/mirrorgate/mirrorgate/fanout/compare"
	"github.com/mirrorgate/mirrorgate/fanout/compare/example"
)

func TestWriteDifferences(t *testing.T) {
	e := &example.Example{
		Time: time.Date(2026, 7, 7, 10, 0, 0, 0, time.Local), Route: "GET /api/price/{id}", Method: "GET", Target: "/api/price/1?\u202e",
		Fields:  []compare.Field{{Layer: compare.Body, Path: "price", Kind: compare.Type}},
		Against: example.Side{Status: 200, Header: "Date: 1\r\n", Body: `{"price":19.99}`, Seconds: .0012},
		Mirror:  example.Side{Status: 200, Header: "Date: 2\r\n", Body: `{"price":"19.99"}`, Seconds: .0034},
	}
	target, _ := url.Parse("http://new:8080")
	f := func(want string, examples ...*example.Example) {
		t.Helper()
		var b strings.Builder
		if err := WriteDifferences(&b, &difference.List{Target: "v2", Against: "v1", Examples: difference.Of(examples, target)}); err != nil {
			t.Fatal(err)
		}
		if b.String() != want {
			t.Errorf("got\n%s\nwant\n%s", &b, want)
		}
	}
	f("No example is kept of a difference between v2 and v1.\n")
	f(`GET /api/price/1?`+"\ufffd"+`
2026-07-07 10:00:00, GET /api/price/{id} differs in body: price (type)
  v1                v2
  after 1.20ms      after 3.40ms
  200               200
~ Date: 1           Date: 2
  {                 {
!   "price": 19.99    "price": "19.99"
  }                 }
curl -sS -i -g --path-as-is $'http://new:8080/api/price/1?\xe2\x80\xae'

`, e)
}
