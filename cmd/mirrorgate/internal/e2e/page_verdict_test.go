package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// The page opens with the verdict, and leads to an example by keyboard.
func TestPageShowsVerdict(t *testing.T) {
	a, addr := mirrorVersions(t, serveVersion(t, nil), serveVersion(t, nil), serveVersion(t, wrongPrice))
	newCrowd(addr).run(16, upTo(8000), shopping)
	b := startBrowser(t)
	b.look(1600, "light")
	b.run(chromedp.Navigate("http://"+a.admin+"/"), chromedp.WaitVisible("#verdicts h2.differs"))
	b.shows("the sentence is first", `document.querySelector("main h2").textContent`, " of GET /api/price/{id} (body: price), ")
	b.shows("the worst route is the first", `document.querySelector("#verdicts tbody tr").innerText.replace(/\s+/g, " ")`, "GET /api/price/{id} ")

	press := func(label string) {
		t.Helper()
		b.run(chromedp.Evaluate(fmt.Sprintf(`[...document.querySelectorAll("#verdicts button")].find(b => b.textContent === %q).focus()`, label), nil),
			chromedp.KeyEvent(kb.Enter))
	}
	press("GET /api/price/{id}")
	b.shows("the fields are there", `document.querySelector("#verdicts .field").innerText`, "body: price")
	press("body: price")
	b.shows("both sides are there", `[...document.querySelectorAll(".sides .chosen")].map(e => e.textContent).join("|")`, `"price": 0.0`)
	b.shows("the focus stays", `document.activeElement.textContent`, "body: price")
	b.shows("noise is told by its field", `document.querySelector("#verdicts").innerText`, "body: id")
	b.shows("secrets are masked", `document.querySelector(".example .request").textContent`, "authorization: Bearer masked:")
	b.shows("what is ignored is told apart", `[...document.querySelectorAll(".sides .ignored")].map(e => e.textContent).join("|")`, "X-Request-Id")
	press("‹ older")
	b.shows("examples are turned over", `document.querySelector(".example .tools").textContent`, "example 12 of 13")
	press("Copy as curl")
	b.shows("the command is copied, or shown", `document.querySelector(".example .said").textContent.match(/copied|here it is/)`, "i")
	b.shows("the archive can be had", `fetch(document.querySelector(".example a").href).then(r => r.json()).then(h => window.entries = h.log.entries.length) && window.entries`, "26")
	b.shows("shares are drawn", `document.querySelector("#verdicts canvas").getAttribute("aria-label")`, "Differs beyond noise, the last five minutes: v2")

	for _, width := range []int64{400, 1600} {
		for _, scheme := range []string{"light", "dark"} {
			b.look(width, scheme)
			name := fmt.Sprintf("verdict-%d-%s", width, scheme)
			if got := b.eval("document.documentElement.scrollWidth"); got != fmt.Sprint(width) {
				t.Errorf("%s: the page is %s pixels wide", name, got)
			}
			b.screenshot(name)
		}
	}
	b.clean(a.admin)
}
