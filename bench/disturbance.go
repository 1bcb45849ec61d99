package bench

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// disturbance is what goes on beside the load on an agent.
type disturbance struct {
	name string
	// prepare changes the run before the agent starts.
	prepare func(run *RunConfig, s *stage) error
}

// stage is what a disturbance is made of besides its run.
type stage struct {
	beside func(ctx context.Context, a *agent) error // goes on until ctx ends; nil: nothing
	undo   []func()                                  // called in any case, after the agent's end
}

// disturbances are in the order of the report, which begins with none.
var disturbances = []disturbance{
	{"none", func(*RunConfig, *stage) error { return nil }},
	{"a first burst of 1,000 requests to 20 cold targets", burstToColdTargets},
	{"64 targets that hang", targetsThatHang},
	{"a target with heads of 16,000 fields", targetWithManyFields},
	{"a peer that floods with frames of 1 MiB: bodies", floodOf(bodyFrame)},
	{"a peer that floods with frames of 1 MiB: header fields", floodOf(fieldsFrame)},
	{"a peer that floods with frames of 1 MiB: messages", floodOf(messagesFrame)},
	{"50 peers that send what they can, ordinary frames", crowdOfPeers},
	{"a reload each second", reloadEachSecond},
	{"a log that nobody reads, and peers that are no HAProxy", stuckLog},
	{"a garbage collection each second", collectEachSecond},
}

// run measures with the disturbance on.
func (d disturbance) run(ctx context.Context, run RunConfig) (Report, error) {
	var s stage
	defer func() {
		for _, undo := range s.undo {
			undo()
		}
	}()
	if err := d.prepare(&run, &s); err != nil {
		return Report{}, fmt.Errorf("cannot prepare %q: %w", d.name, err)
	}
	return runBeside(ctx, run, s.beside)
}

// sinks starts more targets, and has the agent mirror to them with the options.
func (s *stage) sinks(run *RunConfig, n int, mode SinkMode, options string) error {
	more, err := listenSinks(SinkConfig{Addr: "127.0.0.1:0", Targets: n, Mode: mode})
	if err != nil {
		return err
	}
	s.undo = append(s.undo, more.close)
	for _, addr := range more.addrs() {
		run.Command += " --target=http://" + addr + options
	}
	return nil
}

// burstToColdTargets has targets that want POSTs alone, and sends them at once.
func burstToColdTargets(run *RunConfig, s *stage) error {
	load := run.Load
	s.beside = func(ctx context.Context, a *agent) error {
		if err := wait(ctx, load.Warmup+load.Duration/4); err != nil {
			return nil
		}
		g, err := DialGenerator(ctx, a.addr, Load{Connections: 1, InFlight: 1000, Headers: 8, Body: 10, Duration: time.Second})
		if err != nil {
			return err
		}
		defer g.close()
		defer context.AfterFunc(ctx, g.close)()
		g.start(time.Now())
		return g.conns[0].burst()
	}
	return s.sinks(run, 20, SinkOK, ",methods=POST")
}

func targetsThatHang(run *RunConfig, s *stage) error {
	return s.sinks(run, 64, SinkHang, "")
}

func targetWithManyFields(run *RunConfig, s *stage) error {
	return s.sinks(run, 1, SinkFields, "")
}

// floodOf sends a frame again and again, from one address that is not the load's.
func floodOf(frame func() []byte) func(*RunConfig, *stage) error {
	return func(_ *RunConfig, s *stage) error {
		s.beside = flood(Load{Connections: 1, InFlight: 4, Headers: 1, Duration: time.Hour, frame: frame(), peers: 1})
		return nil
	}
}

func crowdOfPeers(_ *RunConfig, s *stage) error {
	s.beside = flood(Load{Connections: 50, InFlight: 16, Headers: 8, Duration: time.Hour, peers: 50})
	return nil
}

// flood sends the load until the end, on new connections if the agent ends some.
func flood(l Load) func(context.Context, *agent) error {
	return func(ctx context.Context, a *agent) error {
		for ctx.Err() == nil {
			if g, err := DialGenerator(ctx, a.addr, l); err == nil {
				// That it ends is what an agent may do to a flood.
				_, _ = g.Run(ctx)
			}
			// An error is the end of ctx.
			_ = wait(ctx, 10*time.Millisecond)
		}
		return nil
	}
}

// reloadEachSecond has the target in a file, which is another one each time.
func reloadEachSecond(run *RunConfig, s *stage) (err error) {
	dir, err := os.MkdirTemp("", "mirrorgate-bench-")
	if err != nil {
		return err
	}
	s.undo = append(s.undo, func() { os.RemoveAll(dir) })
	if run.Sink.Addr, err = freeAddr(); err != nil {
		return err
	}
	file, target := filepath.Join(dir, "mirrorgate.yml"), "http://"+run.Sink.Addr
	write := func(conns int) error {
		return os.WriteFile(file, fmt.Appendf(nil, "target: %s\nconns: %d\n", target, conns), 0o600)
	}
	// The command line would go over the file.
	run.Command = strings.NewReplacer(" --target=http://{targets}", "", " --conns={conns}", "").Replace(run.Command) + " --config=" + quote(file)
	s.beside = eachSecond(func(ctx context.Context, a *agent, n int) error {
		if err := write(run.Conns + n%2); err != nil {
			return err
		}
		return a.proc.cmd.Process.Signal(syscall.SIGHUP)
	})
	return write(run.Conns)
}

// stuckLog fills the agent's standard error, which nobody reads, and gives the agent
// reason to write more.
func stuckLog(run *RunConfig, s *stage) error {
	run.Command = strings.Replace(run.Command, "--log-level=error", "--log-level=debug", 1)
	run.stuckLog = true
	s.beside = func(ctx context.Context, a *agent) error {
		for ctx.Err() == nil {
			if c, err := net.Dial("tcp", a.addr); err == nil {
				_, _ = c.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
				c.Close()
			}
			_ = wait(ctx, 10*time.Millisecond)
		}
		return nil
	}
	return nil
}

// collectEachSecond asks for a heap profile, which begins with a collection.
func collectEachSecond(run *RunConfig, s *stage) error {
	admin, err := freeAddr()
	if err != nil {
		return err
	}
	run.Command = strings.Replace(run.Command, "--admin=", "--admin="+admin, 1)
	s.beside = eachSecond(func(ctx context.Context, _ *agent, _ int) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin+"/debug/pprof/heap?gc=1", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("cannot force a collection: %s", resp.Status)
		}
		return nil
	})
	return nil
}

// eachSecond calls do, at once and until the end, which may cut it short.
func eachSecond(do func(ctx context.Context, a *agent, n int) error) func(context.Context, *agent) error {
	return func(ctx context.Context, a *agent) error {
		for n := 1; ; n++ {
			if err := do(ctx, a, n); err != nil && ctx.Err() == nil {
				return err
			}
			if err := wait(ctx, time.Second); err != nil {
				return nil
			}
		}
	}
}
