package wire

import (
	"bufio"
	"bytes"
	"cmp"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// FuzzPrepare holds that whatever is sent is exactly one HTTP request, the one
// that came: what another parser reads from it has the same method, target,
// fields and body, and nothing stands behind it.
func FuzzPrepare(f *testing.F) {
	add := func(r codec.Request) {
		f.Add(r.Method, r.Target, r.Headers.Raw, r.Headers.Text, r.Body, r.BodySize, r.Full)
	}
	add(browserRequest())
	add(request("POST", "/a?b=%zz", "body", "host", "h", "content-length", "4", "x", "\x80\xff\t"))
	add(request("POST", "http://user@h:80?q#f", "body", "Content-Length", "3", "connection", "x, y", "y", "1"))
	add(request("OPTIONS", "*", "", "transfer-encoding", "chunked", "te", "trailers", "expect", "100-continue"))
	add(request("OPTIONS", "https://[::1]", "", "x-a", "0", "x-b", "1"))
	add(request("GET", "/", "", "x_a", "0", "X_B", "1", "x_x-b", "1", "x-x-b", "1", "proxy_authorization", "2", "x-mirrored_truncated", "true"))
	add(request("PUT", "//x", "a\r\n\r\nGET / HTTP/1.1\r\n\r\n", "content-length", "1", "content-length", "2"))
	add(request("GE T", "/ HTTP/1.1\r\nx: y", "", "a\r\nb", "c\r\nd"))
	add(request("CONNECT", "h:443", "", "x-mirrored-by", "1", "host", "a", "host", "b"))
	add(codec.Request{Method: []byte("GET"), Target: []byte("/"), Headers: codec.Headers{Raw: []byte("Host: h\r\nX:  y \r\n\r\n"), Text: true}, BodySize: 9, Full: true})

	plain := NewRules(Options{SendTruncated: true})
	edited := NewRules(Options{SendTruncated: true, SetHeaders: []Header{{"X-A", "set"}}, DelHeaders: []string{"X-B"}})
	none, edits := regexp.MustCompile(`^$`), regexp.MustCompile(`^(x[-_][ab]|x_x[-_]b)$`)
	f.Fuzz(func(t *testing.T, method, target, headers []byte, text bool, body []byte, bodySize int64, full bool) {
		r := codec.Request{
			Method: method, Target: target, Headers: codec.Headers{Raw: headers, Text: text},
			Body: body, BodySize: bodySize, Full: full,
		}
		checkOneRequest(t, plain, r, "", "", none, nil)
		checkOneRequest(t, edited, r, "/pre/fix", "other:82", edits, []string{"X-A: set"})
	})
}

// checkOneRequest compares what is sent for r with what RFC 9110 and the
// rules leave of it, when it goes to a target with that prefix and Host.
func checkOneRequest(t *testing.T, rules *Rules, r codec.Request, prefix, host string, gone *regexp.Regexp, set []string) {
	var p Prepared
	if rules.Prepare(&p, &r) != codec.RejectNone {
		return
	}
	b, l := rules.Append(nil, &p)
	if len(b) > p.Size() {
		t.Errorf("%d bytes in wire format, Prepare said at most %d", len(b), p.Size())
	}
	sent := forTarget(b, l, prefix, host)
	authority, path, err := codec.ParseTarget(r.Method, r.Target)
	if err != nil {
		t.Fatalf("a request without a target was sent: %q", sent)
	}
	want := string(path)
	if !strings.HasPrefix(want, "/") && want != "*" {
		want = "/" + want
	}
	if want != "*" {
		want = prefix + want
	}
	head, sentBody, _ := strings.Cut(sent, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	if got, want := lines[0], string(r.Method)+" "+want+" HTTP/1.1"; got != want {
		t.Errorf("request line %q, want %q", got, want)
	}
	if sentBody != string(r.Body) {
		t.Errorf("body %q, want %q", sentBody, r.Body)
	}
	if got := slices.Contains(lines, "X-Mirrored-Truncated: true"); got != p.truncated {
		t.Errorf("%q: marked as truncated %v, is %v", head, got, p.truncated)
	}
	ours := func(line string) bool {
		return line == "X-Mirrored-By: mirrorgate" || line == "X-Mirrored-Truncated: true"
	}
	fields := slices.DeleteFunc(lines[1:], ours)
	fields = without(fields, func(name string) bool { return name == "content-length" })
	if got, want := fields, append(wantedFields(r, string(authority), host, gone), set...); !slices.Equal(got, want) {
		t.Errorf("fields %q, want %q", got, want)
	}

	// net/http refuses escapes that are none; the rest is for it to judge.
	if _, err := url.ParseRequestURI(want); err != nil {
		sent = strings.Replace(sent, " "+want+" ", " / ", 1)
		want = "/"
	}
	in := bufio.NewReader(strings.NewReader(sent))
	got, err := http.ReadRequest(in)
	if err != nil {
		t.Fatalf("net/http cannot read %q: %v", sent, err)
	}
	gotBody, err := io.ReadAll(got.Body)
	if err != nil || !bytes.Equal(gotBody, r.Body) {
		t.Errorf("net/http read the body %q, %v, want %q", gotBody, err, r.Body)
	}
	if got.Method != string(r.Method) || got.RequestURI != want {
		t.Errorf("net/http read %s %s, want %s %s", got.Method, got.RequestURI, r.Method, want)
	}
	if len(got.TransferEncoding) > 0 {
		t.Errorf("net/http read Transfer-Encoding %q", got.TransferEncoding)
	}
	if _, err := in.ReadByte(); err != io.EOF {
		t.Errorf("bytes are left behind %q", sent)
	}
}

// forTarget puts into b what differs between targets.
func forTarget(b []byte, l Layout, prefix, host string) string {
	text := string(b)
	hostLine := text[l.HostStart:l.HostEnd]
	if host != "" || hostLine == "" {
		hostLine = "host: " + cmp.Or(host, "target") + "\r\n"
	}
	if text[l.Path] == '*' {
		prefix = ""
	}
	return text[:l.Path] + prefix + text[l.Path:l.HostStart] + hostLine + text[l.HostEnd:]
}

// without returns the lines but those of fields with such a name, in lower case.
func without(lines []string, gone func(name string) bool) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(line string) bool {
		name, _, _ := strings.Cut(line, ":")
		return gone(strings.ToLower(name))
	})
}

// What does not go out in its place: fields for one connection, those that
// mirrorgate writes itself, and those that only it or a proxy may have.
var notEndToEnd = regexp.MustCompile(`^(content-length|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|expect|connection|` +
	`x[-_]mirrored[-_](by|truncated)|proxy[-_]authorization)$`)

// wantedFields says with other words than prepare what has to arrive of the
// fields of r: first Host, if it had none, then its own.
func wantedFields(r codec.Request, authority, newHost string, gone *regexp.Regexp) []string {
	var lines, named []string
	hasHost := false
	for it := r.Headers.Iter(); it.Next(); {
		name := strings.ToLower(string(it.Name))
		if name == "connection" {
			for token := range strings.SplitSeq(string(it.Value), ",") {
				named = append(named, strings.ToLower(strings.Trim(token, " \t")))
			}
		}
		line := string(it.Name) + ": " + string(it.Value)
		if name == "host" {
			hasHost = true
			if newHost != "" {
				line = "host: " + newHost
			}
		}
		lines = append(lines, line)
	}
	if !hasHost {
		lines = slices.Insert(lines, 0, "host: "+cmp.Or(newHost, authority, "target"))
	}
	named = slices.DeleteFunc(named, func(name string) bool { return name == "host" })
	return without(lines, func(name string) bool {
		return slices.Contains(named, name) || notEndToEnd.MatchString(name) || gone.MatchString(name)
	})
}
