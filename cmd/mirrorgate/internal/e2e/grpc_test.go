package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// grpcServer is a service with a method of each kind, and the calls that it
// answered: "Unary a".
type grpcServer struct {
	addr string
	mu   sync.Mutex
	seen []string
}

func (s *grpcServer) saw(call string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, call)
}

// calls returns what it saw of a method, sorted.
func (s *grpcServer) calls(method string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var calls []string
	for _, call := range s.seen {
		if strings.HasPrefix(call, method+" ") {
			calls = append(calls, call)
		}
	}
	slices.Sort(calls)
	return calls
}

// unary answers with what it was sent, or with NOT_FOUND or UNAVAILABLE.
func (s *grpcServer) unary(in string) (string, error) {
	s.saw("Unary " + in)
	switch {
	case strings.HasPrefix(in, "missing"):
		return "", status.Error(codes.NotFound, in)
	case strings.HasPrefix(in, "broken"):
		return "", status.Error(codes.Unavailable, in)
	}
	return "re: " + in, nil
}

// collect answers with all that a client streamed.
func (s *grpcServer) collect(stream grpc.ServerStream) error {
	var all []string
	for {
		in := new(wrapperspb.StringValue)
		if err := stream.RecvMsg(in); errors.Is(err, io.EOF) {
			s.saw("Collect " + strings.Join(all, " "))
			return stream.SendMsg(wrapperspb.String(strings.Join(all, " ")))
		} else if err != nil {
			return err
		}
		all = append(all, in.Value)
	}
}

// count sends the message that it was sent five times.
func (s *grpcServer) count(stream grpc.ServerStream) error {
	in := new(wrapperspb.StringValue)
	if err := stream.RecvMsg(in); err != nil {
		return err
	}
	s.saw("Count " + in.Value)
	for i := range 5 {
		if err := stream.SendMsg(wrapperspb.String(fmt.Sprint(in.Value, i))); err != nil {
			return err
		}
	}
	return nil
}

// echo answers each message at once.
func (s *grpcServer) echo(stream grpc.ServerStream) error {
	for {
		in := new(wrapperspb.StringValue)
		if err := stream.RecvMsg(in); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		s.saw("Echo " + in.Value)
		if err := stream.SendMsg(in); err != nil {
			return err
		}
	}
}

func startGRPC(t *testing.T) *grpcServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &grpcServer{addr: listener.Addr().String()}
	stream := func(name string, client, server bool, handle func(grpc.ServerStream) error) grpc.StreamDesc {
		return grpc.StreamDesc{StreamName: name, ClientStreams: client, ServerStreams: server,
			Handler: func(_ any, stream grpc.ServerStream) error { return handle(stream) }}
	}
	server := grpc.NewServer()
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "test.Svc",
		Methods: []grpc.MethodDesc{{MethodName: "Unary", Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			in := new(wrapperspb.StringValue)
			if err := decode(in); err != nil {
				return nil, err
			}
			out, err := s.unary(in.Value)
			return wrapperspb.String(out), err
		}}},
		Streams: []grpc.StreamDesc{stream("Collect", true, false, s.collect), stream("Count", false, true, s.count), stream("Echo", true, true, s.echo)},
	}, nil)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return s
}

// grpcClient calls that service through HAProxy.
type grpcClient struct {
	*testing.T
	*grpc.ClientConn
}

func (c *grpcClient) unary(in string) (string, error) {
	out := new(wrapperspb.StringValue)
	err := c.Invoke(c.Context(), "/test.Svc/Unary", wrapperspb.String(in), out)
	return out.Value, err
}

// stream sends messages, the pause before each but the first, and returns all that
// came.
func (c *grpcClient) stream(method string, pause time.Duration, messages ...string) (got []string) {
	c.Helper()
	stream, err := c.NewStream(c.Context(), &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, "/test.Svc/"+method)
	if err != nil {
		c.Fatal(method, err)
	}
	for i, m := range messages {
		if i > 0 {
			time.Sleep(pause)
		}
		if err := stream.SendMsg(wrapperspb.String(m)); err != nil {
			c.Fatal(method, err)
		}
		if method == "Echo" {
			got = append(got, c.receive(method, stream))
		}
	}
	if err := stream.CloseSend(); err != nil {
		c.Fatal(method, err)
	}
	for {
		if m := c.receive(method, stream); m != "" {
			got = append(got, m)
		} else {
			return got
		}
	}
}

func (c *grpcClient) receive(method string, stream grpc.ClientStream) string {
	c.Helper()
	out := new(wrapperspb.StringValue)
	if err := stream.RecvMsg(out); err != nil && !errors.Is(err, io.EOF) {
		c.Fatal(method, err)
	}
	return out.Value
}

// All kinds of calls go through production unharmed, and of those that are to be
// mirrored the target sees the same and answers the same. A client that streams
// pauses for longer than HAProxy waits for requests.
func TestHAProxyGRPC(t *testing.T) {
	const calls = 60
	f := func(name string, options ...string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			origin, target := startGRPC(t), startGRPC(t)
			a := startAgent(t, "--target", "h2c://"+target.addr)
			options = append(options, "--grpc", "--agents", a.spop, "--unary", "/test.Svc/Unary", "--unary", "/test.Svc/Count")
			files := printedConfig(t, origin.addr+" proto h2", options...)
			patient := strings.NewReplacer("processing 20ms", "processing 10s", "hello      500ms", "hello      10s",
				"timeout connect 500ms", "timeout connect 10s", "timeout check   500ms", "timeout check   10s",
				"timeout http-request 10s", "timeout http-request 500ms")
			for name, text := range files {
				files[name] = patient.Replace(text)
			}
			conn, err := grpc.NewClient("passthrough:///"+startMerged(t, files), grpc.WithTransportCredentials(insecure.NewCredentials()))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			c := &grpcClient{t, conn}
			for i := range calls {
				in, want, code := fmt.Sprint("call ", i), fmt.Sprint("re: call ", i), codes.OK
				switch i % 6 {
				case 1:
					in, want, code = fmt.Sprint("missing ", i), "", codes.NotFound
				case 2:
					in, want, code = fmt.Sprint("broken ", i), "", codes.Unavailable
				case 3:
					in += strings.Repeat("x", 100*i)
					want = "re: " + in
				}
				if out, err := c.unary(in); out != want || status.Code(err) != code {
					t.Fatalf("%.30q is answered by %.30q and %v", in, out, err)
				}
			}
			if got := c.stream("Count", 0, "n"); !slices.Equal(got, []string{"n0", "n1", "n2", "n3", "n4"}) {
				t.Errorf("Count: %q", got)
			}
			if got := c.stream("Collect", time.Second, "a", "b", "c"); !slices.Equal(got, []string{"a b c"}) {
				t.Errorf("Collect: %q", got)
			}
			if got := c.stream("Echo", time.Second, "a", "b"); !slices.Equal(got, []string{"a", "b"}) {
				t.Errorf("Echo: %q", got)
			}
			a.atRest(calls+1, oneTarget)
			for method, mirrored := range map[string]bool{"Unary": true, "Count": true, "Collect": false, "Echo": false} {
				want := origin.calls(method)
				if !mirrored {
					want = nil
				}
				if got := target.calls(method); !slices.Equal(got, want) {
					t.Errorf("%s: the target saw %d calls, want %d: %.300q", method, len(got), len(want), got)
				}
			}
			for code, want := range map[string]float64{"0": calls - 2*calls/6 + 1, "5": calls / 6, "14": calls / 6, "none": 0} {
				if got := a.value(fmt.Sprintf(`mirrorgate_target_grpc_total{code=%q}`, code)); got != want {
					t.Errorf("grpc-status %s came %v times, want %v", code, got, want)
				}
			}
		})
	}
	f("when the request is there")
	f("when its response is", "--event", "response")
}

// With option http-buffer-request a client that streams gets no answer but HAProxy's:
// it is why config haproxy --grpc does without, and doctor warns.
func TestHAProxyGRPCBuffered(t *testing.T) {
	origin := startGRPC(t)
	files := printedConfig(t, origin.addr+" proto h2", "--agents", "127.0.0.1:1")
	files["haproxy.cfg"] = strings.Replace(files["haproxy.cfg"], "timeout http-request 10s", "timeout http-request 500ms", 1)
	conn, err := grpc.NewClient("passthrough:///"+startMerged(t, files), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stream, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true}, "/test.Svc/Collect")
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.SendMsg(wrapperspb.String("a")); err != nil {
		t.Fatal(err)
	}
	if err := stream.RecvMsg(new(wrapperspb.StringValue)); err == nil || !strings.Contains(err.Error(), "408") {
		t.Errorf("the stream ends with %v, want 408", err)
	}
}
