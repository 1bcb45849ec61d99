package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"golang.org/x/term"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/admin"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/console"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/logging"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/options"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/readings"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/replay"
	"github.com/mirrorgate/mirrorgate/fanout"
	"github.com/mirrorgate/mirrorgate/fanout/compare/verdict"
	"github.com/mirrorgate/mirrorgate/fanout/record/kafka"
)

// replayCmd sends what was recorded again, with the options of the default command.
type replayCmd struct {
	Recording string `arg:"" help:"Folder of the recording, or kafka://b1:9092,b2:9092/topic."`
	Speed     string `default:"1x" placeholder:"SPEED" help:"How fast: 1x as it was recorded, 2.5x, or max, as fast as the targets take it."`
	From      string `placeholder:"TIME" help:"Only what arrived then or later, like 2026-11-26T09:00, in local time if it has no zone."`
	To        string `placeholder:"TIME" help:"Only what arrived before, like 10:00 on the day of --from."`
	Times     uint   `default:"1" placeholder:"N" help:"How many times, one after the other."`
	Group     string `placeholder:"NAME" help:"Of Kafka: the consumer group whose members share one replay; it goes on where they came to."`
	Start     string `placeholder:"TIME" help:"When --from is played, or the first request without that: given alike to all members of a group it paces them together (default: now)."`
	Tolerance string `default:"0.1%" placeholder:"SHARE" help:"For the verdict on targets with against=NAME: what share of the pairs may differ, beyond noise."`
	Latency   string `placeholder:"RULE" help:"For the verdict: how much slower a quantile may be, as p99+10% (default: latency does not count)."`
	options.Options
}

// Help is what --help shows above the options.
func (*replayCmd) Help() string {
	return `The requests of a recording go to the targets at the times at which they arrived, or faster. What cannot be sent in time is counted as late; it is never slowed down silently. With max, full queues hold the reading up, and nothing is dropped for want of room or for its age. All options of a run are known; there is an admin server only with --admin. It ends behind the last request, with the accounting and, for targets with against=NAME, the verdict. Exit status 0: done, and alike, 1: it differs, or the recording cannot be read, 3: too early to say, 2: wrong use.

    mirrorgate replay /var/lib/mirrorgate/peak --target v2=http://new:8080 --speed 2x
    mirrorgate replay /var/lib/mirrorgate/peak --from 2026-11-26T09:00 --to 10:00 \
        --target v1=http://old:8080 --target v2=http://new:8080,against=v1`
}

// Run replays. The last lines of the log say what became of every request; the standard
// output has what was replayed, and the verdicts.
func (r *replayCmd) Run() error {
	set := metrics.NewSet()
	log := logging.New(os.Stderr, r.LogLevel, r.LogFormat, set)
	log.TakeStandard()
	outcome, err := r.replay(set, log)
	log.Finish(logWait, func(last *slog.Logger) {
		if outcome != nil {
			readings.Read(set).Log(last)
		}
	})
	if outcome != nil {
		fmt.Println(outcome.summary)
		if said := outcome.say(); err == nil {
			err = said
		}
	}
	return err
}

// outcome is what a replay that came to its end has to say.
type outcome struct {
	summary  string
	verdicts []*verdict.Verdict
}

// say prints the verdicts, and returns what the worst of them ends the process with.
func (o *outcome) say() error {
	worst := verdict.Alike
	for _, v := range o.verdicts {
		if err := console.WriteVerdict(os.Stdout, v); err != nil {
			return fmt.Errorf("cannot print verdict: %w", err)
		}
		if v.Verdict == verdict.Differs || worst == verdict.Alike {
			worst = v.Verdict
		}
	}
	return verdictStatus[worst]
}

// replay plays the recording, unless something is wrong, and waits for the responses.
// There is an outcome if something was played, even if the end was not reached.
func (r *replayCmd) replay(set *metrics.Set, l *logging.Log) (*outcome, error) {
	log := l.Logger()
	plan, err := r.plan(set, log)
	if err != nil {
		return nil, usageError{err}
	}
	if r.LogDifferences {
		plan.fanout.DifferenceLog = l.Unthrottled()
	}
	token, err := r.AdminToken()
	if err != nil {
		return nil, usageError{err}
	}
	adminServer, err := admin.Listen(admin.Config{
		Address: r.adminAddress(), Token: token, Metrics: set, Version: buildVersion(), Logger: log,
	})
	if err != nil {
		return nil, usageError{r.Locate(fmt.Errorf("--admin: %w", err), nil)}
	}
	defer adminServer.Close()
	f, err := fanout.New(plan.fanout)
	if err != nil {
		return nil, usageError{r.Locate(err, plan.fanout.Targets)}
	}
	source, err := openSource(r.Recording, plan.fanout.Kafka, sourceRange{plan.from, plan.to, r.Group, f})
	if err != nil {
		f.Drain(context.Background())
		return nil, err
	}
	defer source.Close()
	limitMemory(plan.fanout.Memory)
	adminServer.Serve(nil, f)
	r.announceTargets(f, adminServer, log)

	playing, drained := r.untilStopped(l)
	begun := time.Now()
	player := plan.player(f)
	played := r.play(playing, player, source)
	f.Drain(drained)
	played = errors.Join(played, source.Finish())
	source.Tell(log)
	if player.Played == 0 && played == nil && r.Group == "" {
		return nil, errors.New("there is no request in the recording at that time")
	}
	o := &outcome{summary: r.summary(player, time.Since(begun))}
	o.verdicts, err = r.judge(f, plan)
	return o, errors.Join(played, err)
}

// plan is what the options say.
type plan struct {
	fanout   fanout.Config
	speed    float64
	from, to time.Time
	start    time.Time // when from is played; zero: when the first request is
	rule     verdict.Rule
}

// longest is for how long nothing is stale when the targets set the pace.
const longest = 24 * time.Hour

func (r *replayCmd) plan(set *metrics.Set, log *slog.Logger) (p plan, err error) {
	if p.speed, err = replay.ParseSpeed(r.Speed); err != nil {
		return p, fmt.Errorf("--%w", err)
	}
	if p.from, p.to, err = replay.ParseRange(r.From, r.To, time.Now()); err != nil {
		return p, err
	}
	if p.rule, err = verdict.ParseRule(r.Tolerance, r.Latency); err != nil {
		return p, fmt.Errorf("--%w", err)
	}
	if p.start, err = replay.ParseTime(r.Start, time.Now()); err != nil {
		return p, fmt.Errorf("--start: %w", err)
	}
	switch fromKafka := kafka.IsURL(r.Recording); {
	case r.Times == 0:
		return p, errors.New("--times is 0, should be at least 1")
	case fromKafka && r.Times > 1:
		return p, errors.New("--times is for folders: a topic is played once")
	case !fromKafka && r.Group != "":
		return p, errors.New("--group is for Kafka")
	case fromKafka && p.start.IsZero() && !p.from.IsZero():
		p.start = time.Now()
	}
	if p.fanout, err = r.Fanout(set, log); err != nil {
		return p, err
	}
	for i := range p.fanout.Targets {
		if t := &p.fanout.Targets[i]; p.speed == 0 {
			t.Drop, t.MaxAge = fanout.DropNewest, longest
		}
	}
	p.fanout.Steer = nil
	return p, nil
}

// player plays to f.
func (p *plan) player(f *fanout.Fanout) *replay.Player {
	return &replay.Player{Sink: f, Speed: p.speed, Batch: p.batch(), Start: p.start, Origin: p.from}
}

// batch is how many requests may be submitted at once: what every queue takes.
func (p *plan) batch() int {
	n := replay.MaxBatch
	for i := range p.fanout.Targets {
		n = min(n, p.fanout.Targets[i].Queue)
	}
	return n
}

// adminAddress is empty unless the command line has one: what a file says is for the
// mirrorgate that runs.
func (r *replayCmd) adminAddress() string {
	if r.OnCommandLine("admin") {
		return r.Admin
	}
	return ""
}

// announceTargets logs what will happen from now on.
func (r *replayCmd) announceTargets(f *fanout.Fanout, adminServer *admin.Server, log *slog.Logger) {
	for _, warning := range r.Warnings() {
		log.Warn(warning)
	}
	for _, line := range f.Describe() {
		log.Info("replaying: " + line)
	}
	for _, line := range comparing(f.Compared()) {
		log.Info(line)
	}
	if addr := adminServer.Addr(); addr != "" {
		log.Info("serving metrics", "address", addr)
	}
}

// untilStopped returns what ends with the first signal: the playing at once, the wait
// for responses when the drain is over.
func (r *replayCmd) untilStopped(l *logging.Log) (playing, drained context.Context) {
	stopping := make(chan os.Signal, 2)
	signal.Notify(stopping, syscall.SIGTERM, syscall.SIGINT)
	playing, stop := context.WithCancel(context.Background())
	drained, hurry := context.WithCancel(context.Background())
	go func() {
		signal := <-stopping
		l.Logger().Info("stopping", "signal", signal.String(), "drain", time.Duration(r.Drain).String())
		stop()
		time.AfterFunc(time.Duration(r.Drain), hurry)
		exitAtOnce(stopping, l)
	}()
	return playing, drained
}

// play plays the recording as often as it is to be.
func (r *replayCmd) play(ctx context.Context, player *replay.Player, reader source) error {
	_, all := reader.Progress()
	player.Progress = reader.Tend
	pass := int64(0)
	if term.IsTerminal(int(os.Stderr.Fd())) {
		bar := replay.NewBar(os.Stderr, all*int64(r.Times))
		defer bar.Close()
		player.Progress = func() {
			reader.Tend()
			read, _ := reader.Progress()
			bar.Set(pass*all + read)
		}
	}
	for ; pass < int64(r.Times); pass++ {
		if err := player.Play(ctx, reader); err != nil {
			return err
		}
		if pass+1 < int64(r.Times) {
			reader.Rewind()
		}
	}
	return nil
}

// summary says what was replayed, and how punctually.
func (r *replayCmd) summary(p *replay.Player, took time.Duration) string {
	text := fmt.Sprintf("replayed %d requests in %v, %.0f/s", p.Played, took.Round(time.Millisecond), float64(p.Played)/took.Seconds())
	if p.Speed > 0 {
		text += fmt.Sprintf(", at %s: %v", strings.TrimSpace(r.Speed), &p.Lateness)
	}
	return text
}

// judge returns the verdict on each target that is compared with another one.
func (r *replayCmd) judge(f *fanout.Fanout, p plan) (all []*verdict.Verdict, err error) {
	for _, c := range f.Compared() {
		if c.Against == fanout.AgainstProduction {
			continue
		}
		counts, err := f.Comparison(c.Target)
		if err != nil {
			return all, err
		}
		all = append(all, verdict.Judge(counts, p.rule))
	}
	return all, nil
}
