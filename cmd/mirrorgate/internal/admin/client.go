package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/difference"
	"github.com/mirrorgate/mirrorgate/fanout/compare/tally"
)

// Client asks the server of a mirrorgate that runs.
type Client struct {
	address string
	token   string
	http    http.Client
}

// responseTime is how long a running mirrorgate may take to respond.
const responseTime = 5 * time.Second

// NewClient returns a client for the server that listens on address, as its
// option --admin says, or that a proxy has at a URL. It connects to nothing yet.
func NewClient(address, token string) *Client {
	if host, port, err := net.SplitHostPort(address); err == nil {
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			address = net.JoinHostPort("127.0.0.1", port)
		}
	}
	return &Client{address: address, token: token, http: http.Client{Timeout: responseTime, Transport: &http.Transport{}}}
}

// Address is where the client connects.
func (c *Client) Address() string { return c.address }

// RefusedError is what the server says of a request that it understood and that
// is wrong.
type RefusedError struct{ Text string }

func (e *RefusedError) Error() string { return e.Text }

// Stats returns the figures of this moment.
func (c *Client) Stats(ctx context.Context) (s Stats, err error) {
	return s, c.ask(ctx, http.MethodGet, "/api/stats", nil, &s)
}

// Comparison returns the sums of what was compared of a target.
func (c *Client) Comparison(ctx context.Context, target string) (s tally.Summary, err error) {
	return s, c.ask(ctx, http.MethodGet, "/api/compare?target="+url.QueryEscape(target), nil, &s)
}

// Fresh has all that was compared of a target forgotten.
func (c *Client) Fresh(ctx context.Context, target string) error {
	var done struct{}
	return c.ask(ctx, http.MethodPost, "/api/verdict/fresh?target="+url.QueryEscape(target), nil, &done)
}

// Differences returns the examples that are kept of a target; of a route and of a
// field, unless these are empty.
func (c *Client) Differences(ctx context.Context, target, route, field string) (l difference.List, err error) {
	query := url.Values{"target": {target}, "route": {route}, "field": {field}}
	return l, c.ask(ctx, http.MethodGet, "/api/differences?"+query.Encode(), nil, &l)
}

// TuneGroup changes settings of a group; they are texts as options have them. A
// RefusedError says what is wrong with them.
func (c *Client) TuneGroup(ctx context.Context, name string, settings map[string]string) (t Tuned, err error) {
	return t, c.ask(ctx, http.MethodPatch, "/api/groups/"+url.PathEscape(name), settings, &t)
}

// TuneTarget changes settings of a target as TuneGroup those of a group.
func (c *Client) TuneTarget(ctx context.Context, name string, settings map[string]string) (t Tuned, err error) {
	return t, c.ask(ctx, http.MethodPatch, "/api/targets/"+url.PathEscape(name), settings, &t)
}

func (c *Client) ask(ctx context.Context, method, path string, request, response any) error {
	body, err := json.Marshal(request)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	if request == nil {
		body = nil
	}
	base, err := c.base()
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, base+path, bytes.NewReader(body))
	if err != nil {
		return &RefusedError{fmt.Sprintf("--admin: %q should be HOST:PORT or a URL", c.address)}
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.unreachable(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		return c.unreachable(err)
	}
	if err := refusal(resp.StatusCode, content); err != nil {
		return err
	}
	if err := json.Unmarshal(content, response); err != nil {
		return fmt.Errorf("cannot read what %s answers: is that the admin address of mirrorgate? %w", c.address, err)
	}
	return nil
}

// base is what stands in front of the paths of the API.
func (c *Client) base() (string, error) {
	if scheme, rest, isURL := strings.Cut(c.address, "://"); isURL {
		u, err := url.Parse(c.address)
		if err != nil || scheme != "http" && scheme != "https" || rest == "" || u.User != nil || u.RawQuery != "" {
			return "", &RefusedError{fmt.Sprintf("--admin: %q should be a URL like http://host:12346", c.address)}
		}
		return strings.TrimRight(c.address, "/"), nil
	}
	if _, _, err := net.SplitHostPort(c.address); err != nil {
		return "", &RefusedError{fmt.Sprintf("--admin: %q should be HOST:PORT or a URL", c.address)}
	}
	return "http://" + c.address, nil
}

// unreachable says how to mend that there was no response.
func (c *Client) unreachable(err error) error {
	if request := new(url.Error); errors.As(err, &request) {
		err = request.Err
	}
	return fmt.Errorf("cannot reach mirrorgate at %s: %w; is it running, and is that what its --admin says?", c.address, cause(err))
}

// refusal is what a response says that is no success, nil if it is one.
func refusal(status int, content []byte) error {
	var response apiError
	text := strings.TrimSpace(string(content))
	if json.Unmarshal(content, &response) == nil {
		text = response.Error
	}
	text = Printable(strings.ReplaceAll(text, "\n", " "))
	switch {
	case status == http.StatusOK:
		return nil
	case status == http.StatusUnauthorized:
		return &RefusedError{"mirrorgate asks for the token: give the file that holds it with --admin-token-file"}
	case status < http.StatusInternalServerError && text != "":
		return &RefusedError{text}
	}
	return fmt.Errorf("mirrorgate answers %d: %s", status, text)
}
