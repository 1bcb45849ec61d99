//go:build servers

package e2e

import (
	"bufio"
	"crypto/sha1"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/codec"
)

// mixed is a request of a mix.
type mixed struct {
	id     int
	method string
	asks   int // the status that the application is to respond with
	status int // the status that production responded with, and the target is to
	body   []byte
}

func (m mixed) path() string { return fmt.Sprintf("/%d/%d", m.asks, m.id) }

// statusOf returns the status that a path asks for.
func statusOf(path string) int {
	status, _ := strconv.Atoi(strings.Split(path, "/")[1])
	return status
}

// line is what an application logs if the request arrives as it was sent.
func (m mixed) line() string {
	return fmt.Sprintf("%s %s %d %d %x", m.method, m.path(), m.id, len(m.body), sha1.Sum(m.body))
}

// mix makes requests with ids from first on: of all methods, 5 % of them HEAD,
// with bodies of 0 to 60 kB. The same ids are the same requests.
func mix(first, count int) []mixed {
	random := rand.New(rand.NewPCG(11, uint64(first)))
	methods := strings.Fields("GET GET GET GET GET GET GET GET GET POST POST POST POST POST PUT PUT PATCH DELETE DELETE HEAD")
	statuses := []int{200, 201, 302, 404, 409, 500, 503}
	bytes := make([]byte, 60_000)
	for i := range bytes {
		bytes[i] = byte(random.Uint32())
	}
	requests := make([]mixed, count)
	for i := range requests {
		m := mixed{id: first + i, method: methods[random.IntN(len(methods))], asks: statuses[random.IntN(len(statuses))]}
		m.status = m.asks
		if m.method != "GET" && m.method != "HEAD" {
			size := random.IntN(len(bytes) + 1)
			if random.IntN(2) == 0 {
				size >>= random.IntN(16) // as many small ones
			}
			at := random.IntN(len(bytes) - size + 1)
			m.body = bytes[at:][:size]
		}
		requests[i] = m
	}
	return requests
}

// mixClient is a HAProxy with one connection to an agent.
type mixClient struct {
	t      *testing.T
	conn   net.Conn
	in     *bufio.Reader
	stream uint64
}

func (a *agent) mixClient() *mixClient {
	a.t.Helper()
	conn := a.spopConn()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Minute))
	c := &mixClient{t: a.t, conn: conn, in: bufio.NewReader(conn)}
	if _, err := conn.Write(codec.AppendHAProxyHello(nil, codec.Hello{MaxFrameSize: 1 << 20, Pipelining: true})); err != nil {
		a.t.Fatal(err)
	}
	if f := c.frame(); f.Type != codec.FrameAgentHello {
		a.t.Fatalf("%s, want a HELLO", f.Type)
	}
	return c
}

func (c *mixClient) frame() codec.Frame {
	c.t.Helper()
	head := make([]byte, codec.LenSize)
	_, err := io.ReadFull(c.in, head)
	body := make([]byte, codec.FrameLen(head))
	if err == nil {
		_, err = io.ReadFull(c.in, body)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	f, err := codec.ParseFrame(body)
	if err != nil {
		c.t.Fatal(err)
	}
	return f
}

// send sends requests in one write and waits for their ACKs.
func (c *mixClient) send(requests ...mixed) {
	c.t.Helper()
	var out []byte
	for _, m := range requests {
		c.stream++
		out = codec.AppendFrame(out, codec.Frame{Type: codec.FrameNotify, Flags: codec.FlagFin, StreamID: c.stream, FrameID: 1, Payload: m.message()})
	}
	go c.conn.Write(out) // ACKs may have to be read for it to end
	for range requests {
		if f := c.frame(); f.Type != codec.FrameAck {
			c.t.Fatalf("%s, want an ACK", f.Type)
		}
	}
}

// message is what HAProxy's filter says of the request and of production's
// response.
func (m mixed) message() []byte {
	headers := codec.AppendHeader(nil, "host", "example.com")
	headers = codec.AppendHeader(headers, "x-id", strconv.Itoa(m.id))
	if len(m.body) > 0 || m.method == "POST" {
		headers = codec.AppendHeader(headers, "content-length", strconv.Itoa(len(m.body)))
	}
	args := []struct {
		name  string
		value codec.Value
	}{
		{codec.ArgMethod, codec.Value{Type: codec.TypeString, Bytes: []byte(m.method)}},
		{codec.ArgPath, codec.Value{Type: codec.TypeString, Bytes: []byte(m.path())}},
		{codec.ArgVersion, codec.Value{Type: codec.TypeString, Bytes: []byte("1.1")}},
		{codec.ArgHeaders, codec.Value{Type: codec.TypeBinary, Bytes: codec.AppendHeadersEnd(headers)}},
		{codec.ArgBody, codec.Value{Type: codec.TypeBinary, Bytes: m.body}},
		{codec.ArgStatus, codec.Value{Type: codec.TypeInt64, Int: uint64(m.status)}},
	}
	b := codec.AppendString(nil, "mirror")
	b = append(b, byte(len(args)))
	for _, arg := range args {
		b = codec.AppendValue(codec.AppendString(b, arg.name), arg.value)
	}
	return b
}
