package bench

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

// TestMain lets the test binary stand for {bench} in FloorCommand.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "floor" {
		if err := floorMain(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	// gnet's pool of workers lives as long as the process.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*goWorker).run.func1"))
}

func floorMain(args []string) error {
	var cfg FloorConfig
	f := flag.NewFlagSet("floor", flag.ContinueOnError)
	f.StringVar(&cfg.Listen, "listen", "", "")
	f.IntVar(&cfg.Conns, "conns", 8, "")
	f.IntVar(&cfg.Batch, "batch", 8, "")
	f.IntVar(&cfg.Queue, "queue", 1<<20, "")
	f.BoolVar(&cfg.Goroutines, "goroutines", false, "")
	f.BoolVar(&cfg.TLS, "tls", false, "")
	f.Func("target", "", func(t string) error {
		cfg.Targets = append(cfg.Targets, strings.TrimSpace(t))
		return nil
	})
	if err := f.Parse(args); err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	floor, err := StartFloor(cfg)
	if err != nil {
		return err
	}
	<-stop
	return floor.Close()
}
