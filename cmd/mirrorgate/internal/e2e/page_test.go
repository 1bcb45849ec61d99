package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/mirrorgate/mirrorgate/bench"
)

// flow sends a little traffic until the test ends.
func flow(t *testing.T, agent string) {
	t.Helper()
	load := bench.DefaultLoad
	load.Connections, load.Rate, load.Warmup, load.Duration = 2, 100, 0, time.Minute
	g, err := bench.DialGenerator(context.Background(), agent, load)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-done })
}

// The live page in a real browser: it shows the traffic, at any width, light and
// dark, and what is changed on it takes effect.
func TestPage(t *testing.T) {
	a := startAgent(t, "--target", "a="+startRecorder(t).url()+",group=v2,sample=50%",
		"--target", "slow="+serveRecorder(t, &recorder{mute: true}).url()+",group=v2,sample=50%,conns=1,batch=1,queue=8",
		"--target", "down=http://127.0.0.1:1,sample=10%")
	flow(t, a.spop)
	b := startBrowser(t)
	b.run(chromedp.Navigate("http://"+a.admin+"/"), chromedp.WaitVisible("#sample-v2"))
	b.shows("the page shows what is received", `/[1-9]\d*\/s/.test(document.querySelector("#gateway .big").textContent)`, "true")
	b.shows("the page shows drops", `document.querySelector("#notice").textContent`, "slow drops")
	b.shows("and that a target is down", `document.querySelector("#notice").textContent`, "down drops")
	b.shows("why it is down, where it is, and since when", `[...document.querySelectorAll(".targethead")].find(h => h.querySelector("h2, h3").textContent === "down").textContent`,
		"http://127.0.0.1:1")
	b.shows("why it is down", `[...document.querySelectorAll(".failure")].map(f => f.textContent).join()`, "connection refused")
	b.shows("the title says trouble", `document.title.startsWith("! down drops ") || document.title.startsWith("! slow ")`, "true")
	total := `document.querySelector("#gateway small").textContent`
	before := b.eval(total)
	b.shows("figures move", total+` !== "`+before+`"`, "true")
	b.shows("charts move", chartMoves, "true")

	for _, width := range []int64{400, 800, 1600} {
		for _, scheme := range []string{"light", "dark"} {
			b.look(width, scheme)
			name := fmt.Sprintf("%d-%s", width, scheme)
			if got := b.eval("document.documentElement.scrollWidth"); got != fmt.Sprint(width) {
				t.Errorf("%s: the page is %s pixels wide", name, got)
			}
			ground := map[string]string{"light": "rgb(244, 244, 241)", "dark": "rgb(17, 20, 22)"}[scheme]
			if got := b.eval("getComputedStyle(document.body).backgroundColor"); got != ground {
				t.Errorf("%s: the ground is %s, want %s", name, got, ground)
			}
			b.screenshot(name)
		}
	}

	said := `document.querySelector("form .said").textContent`
	b.setSample("v2", "2")
	b.shows("the page says what it changed", said, "sample 50% → 2%, until ")
	f := func(want string) {
		t.Helper()
		if _, body := a.get("/api/targets"); !strings.Contains(body, want) {
			t.Errorf("%s is not in %s", want, body)
		}
	}
	f(`"name":"v2","sample":"2%","sample_until":"`)
	b.run(chromedp.Click(`button[aria-label="Pause target a"]`))
	b.shows("the page says that a is paused", `document.querySelector("#notice").textContent`, "a drops")
	f(`"weight":1,"rate":"none","paused":true,"paused_until":"`)
	b.run(chromedp.Click(`button[aria-label="Resume target a"]`))
	b.shows("a is not paused any more", `document.querySelectorAll(".badge.warn:not([hidden])").length`, "0")
	f(`"weight":1,"rate":"none","paused":false`)
	b.clean(a.admin)

	// From here on the console has something to say.
	b.setSample("v2", "200")
	b.shows("the page says what is wrong", said, `sample is "200%", should be a share like 25% or 0.25`)
	f(`"name":"v2","sample":"2%"`)
	a.process.Process.Kill()
	<-a.exited
	b.shows("the page says that nobody answers", `document.querySelector("#notice").textContent`, "No response from mirrorgate since")
}

// chartMoves is true once the points of the chart of what is received are drawn
// elsewhere than when it was asked first.
const chartMoves = `(() => {
	const now = document.querySelector("#gateway canvas").toDataURL();
	window.drawnFirst ??= now;
	return now !== window.drawnFirst;
})()`

// setSample types a share into the field of a group, and sets it.
func (b *browser) setSample(group, text string) {
	b.t.Helper()
	field := "#sample-" + group
	b.run(chromedp.Evaluate(`document.querySelector("`+field+`").select()`, nil), chromedp.SendKeys(field, text+"\r"))
}

// Where a token is asked for, a browser gives it as a password, and the page
// works.
func TestPageWithToken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := startAgent(t, "--target", "a="+startRecorder(t).url(), "--admin-token-file", file)
	b := startBrowser(t)
	b.logIn("s3cret")
	b.run(chromedp.Navigate("http://"+a.admin+"/"), chromedp.WaitVisible("#sample-a"))
	b.setSample("a", "7.5")
	eventually(t, "the sample is set", func() bool {
		return strings.Contains(b.eval(`document.querySelector("form .said").textContent`), "sample 100% → 7.5%")
	})
}
