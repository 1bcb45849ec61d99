package e2e

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/log"
	cdpnetwork "github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is a headless Chromium with one page open.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu     sync.Mutex
	errors []string // what the console would show in red
	asked  []string // the addresses that requests went to
}

// browserOptions let Chromium run where tests do, as root in a container, and
// keep it from talking to anybody but the page's server: --headless --no-sandbox
// --disable-gpu --disable-quic --no-first-run --disable-background-networking
// --disable-component-update --disable-sync, and a fresh --user-data-dir.
func browserOptions(program string) []chromedp.ExecAllocatorOption {
	return append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
}

func startBrowser(t *testing.T) *browser {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal(err, "- install it, on Debian with: apt-get install chromium")
	}
	b := &browser{t: t}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, browserOptions(program)...)
	t.Cleanup(cancel)
	b.ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	chromedp.ListenTarget(b.ctx, b.hear)
	b.run(cdpnetwork.Enable())
	return b
}

func (b *browser) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.errors = append(b.errors, e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		b.errors = append(b.errors, fmt.Sprintf("console.%s", e.Type))
	case *log.EventEntryAdded:
		b.errors = append(b.errors, e.Entry.Text)
	case *cdpnetwork.EventRequestWillBeSent:
		if u, err := url.Parse(e.Request.URL); err == nil && u.Host != "" {
			b.asked = append(b.asked, u.Host)
		}
	}
}

func (b *browser) run(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// logIn answers the browser's question for a password, as whoever sits in front
// of it does.
func (b *browser) logIn(password string) {
	chromedp.ListenTarget(b.ctx, func(event any) {
		switch e := event.(type) {
		case *fetch.EventRequestPaused:
			go chromedp.Run(b.ctx, fetch.ContinueRequest(e.RequestID))
		case *fetch.EventAuthRequired:
			go chromedp.Run(b.ctx, fetch.ContinueWithAuth(e.RequestID, &fetch.AuthChallengeResponse{
				Response: fetch.AuthChallengeResponseResponseProvideCredentials, Username: "anybody", Password: password,
			}))
		}
	})
	b.run(fetch.Enable().WithHandleAuthRequests(true))
}

// look is how the page is looked at: its width in pixels, and light or dark.
func (b *browser) look(width int64, scheme string) {
	b.t.Helper()
	b.run(emulation.SetDeviceMetricsOverride(width, 1000, 1, false),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}))
}

// eval returns what a JavaScript expression says, as text.
func (b *browser) eval(expression string) (text string) {
	b.t.Helper()
	b.run(chromedp.Evaluate("String("+expression+")", &text))
	return text
}

// shows waits until what a JavaScript expression says has a text.
func (b *browser) shows(what, expression, want string) {
	b.t.Helper()
	got := ""
	defer func() {
		if !strings.Contains(got, want) {
			b.t.Logf("%s is %q, want %q", expression, got, want)
		}
	}()
	eventually(b.t, what, func() bool {
		got = b.eval(expression)
		return strings.Contains(got, want)
	})
}

// picturesEnv names the folder for screenshots, see make picture.
const picturesEnv = "E2E_PICTURES"

// screenshot keeps the whole page as a picture.
func (b *browser) screenshot(name string) {
	b.t.Helper()
	dir := cmp.Or(os.Getenv(picturesEnv), filepath.Join(os.TempDir(), fmt.Sprintf("mirrorgate-page-%d", os.Getuid())))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	var picture []byte
	b.run(chromedp.FullScreenshot(&picture, 100))
	file := filepath.Join(dir, name+".png")
	if err := os.WriteFile(file, picture, 0o644); err != nil {
		b.t.Fatal(err)
	}
	b.t.Log("screenshot:", file)
}

// clean checks that the console is empty and that nobody but the server was
// asked.
func (b *browser) clean(server string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, text := range b.errors {
		b.t.Errorf("in the console: %s", text)
	}
	for _, host := range b.asked {
		if host != server {
			b.t.Errorf("a request went to %s", host)
		}
	}
	if len(b.asked) == 0 {
		b.t.Error("no request was seen")
	}
}
