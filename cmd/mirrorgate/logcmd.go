package main

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/options"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/recordings"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/replay"
	"github.com/mirrorgate/mirrorgate/fanout/record"
)

// logCmd shows what is in a recording.
type logCmd struct {
	LS     logLsCmd     `cmd:"" name:"ls" help:"List the requests of a recording, one a line."`
	Cat    logCatCmd    `cmd:"" help:"Print the requests of a recording."`
	Stat   logStatCmd   `cmd:"" help:"Count the requests of a recording by time, status and route, and say whether it is whole."`
	Export logExportCmd `cmd:"" help:"Write the requests of a recording as a HAR file, or as commands of curl."`
}

// wantedFlags say which requests of which recording are meant.
type wantedFlags struct {
	Recording string   `arg:"" help:"Folder of the recording, or kafka://b1:9092,b2:9092/topic."`
	From      string   `placeholder:"TIME" help:"Only what arrived then or later, like 2026-11-26T09:00."`
	To        string   `placeholder:"TIME" help:"Only what arrived before, like 10:00 on the day of --from."`
	Route     []string `sep:"none" placeholder:"ROUTE" help:"Only this route, like 'GET /api/shops/*/orders'. Repeatable."`
	Status    []string `placeholder:"STATUS" help:"Only with this status of production, like 404, 5xx or unknown. Repeatable."`

	options.Kafka
	TLSCA       string `name:"tls-ca" env:"MIRRORGATE_TLS_CA" group:"kafka" placeholder:"FILE" help:"Certificates (PEM) to verify brokers with (default: those of the system)."`
	TLSCert     string `name:"tls-cert" env:"MIRRORGATE_TLS_CERT" group:"kafka" placeholder:"FILE" help:"Certificate (PEM) to show to brokers."`
	TLSKey      string `name:"tls-key" env:"MIRRORGATE_TLS_KEY" group:"kafka" placeholder:"FILE" help:"Key (PEM) of that certificate."`
	TLSInsecure bool   `name:"tls-insecure" env:"MIRRORGATE_TLS_INSECURE" group:"kafka" help:"Do not verify brokers."`
}

// read hands the requests to the writer, and returns the recording, which is closed.
func (f *wantedFlags) read(w recordings.Writer) (source, error) {
	from, to, err := replay.ParseRange(f.From, f.To, time.Now())
	if err != nil {
		return nil, usageError{err}
	}
	filter, err := recordings.NewFilter(f.Route, f.Status)
	if err != nil {
		return nil, usageError{err}
	}
	login, err := f.Login(options.TLS{CA: f.TLSCA, Cert: f.TLSCert, Key: f.TLSKey, Insecure: f.TLSInsecure})
	if err != nil {
		return nil, usageError{err}
	}
	s, err := openSource(f.Recording, login, sourceRange{from: from, to: to})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s, recordings.Write(s, filter, w)
}

// show is read, for commands whose output says nothing of the end.
func (f *wantedFlags) show(w recordings.Writer) error {
	s, err := f.read(w)
	if err != nil {
		return err
	}
	if files, ok := s.(folder); ok {
		for _, tear := range files.Torn() {
			fmt.Fprintln(os.Stderr, "mirrorgate:", tearText(tear))
		}
	}
	return nil
}

func tearText(t record.Tear) string {
	return fmt.Sprintf("torn: %s at byte %d, %d bytes there cannot be read", t.File, t.At, t.Lost)
}

// maskFlags say what is hidden.
type maskFlags struct {
	Unmask bool `help:"Show secrets as they are."`
}

func (f *maskFlags) mask() *recordings.Mask {
	m, err := recordings.NewMask(f.Unmask, nil, nil)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return m
}

type logLsCmd struct {
	wantedFlags
	maskFlags
}

// Help is what --help shows above the options.
func (*logLsCmd) Help() string {
	return `Time of arrival, production's status and time, bytes of the body, client, id, method and target. Secrets in the target are masked, unless --unmask.

    mirrorgate log ls /var/lib/mirrorgate/peak --status 5xx`
}

// Run lists.
func (c *logLsCmd) Run() error { return c.show(recordings.NewList(os.Stdout, c.mask())) }

type logCatCmd struct {
	wantedFlags
	maskFlags
}

// Help is what --help shows above the options.
func (*logCatCmd) Help() string {
	return `The values of what looks like a secret are masked, unless --unmask: cookies, authorization, and what has a name with token, password and the like in queries, forms and JSON. Of other bodies it says how long they are.

    mirrorgate log cat /var/lib/mirrorgate/peak --route 'POST /login'`
}

// Run prints.
func (c *logCatCmd) Run() error {
	return c.show(recordings.NewCat(os.Stdout, c.mask(), term.IsTerminal(int(os.Stdout.Fd()))))
}

type logStatCmd struct{ wantedFlags }

// Help is what --help shows above the options.
func (*logStatCmd) Help() string {
	return `Exit status 0: the recording is whole, 1: it is torn where it says so, and nothing else is lost, or it cannot be read, 2: wrong use.

    mirrorgate log stat /var/lib/mirrorgate/peak`
}

// Run counts.
func (c *logStatCmd) Run() error {
	stat := recordings.NewStat()
	s, err := c.read(stat)
	if err != nil {
		return err
	}
	files, ok := s.(folder)
	if !ok {
		fmt.Println("recording", c.Recording)
		stat.Report(os.Stdout)
		return nil
	}
	_, size := files.Progress()
	fmt.Printf("recording %s, %d bytes in %d segments\n", c.Recording, size, files.Segments())
	if files.Written() {
		fmt.Println("written   just now, so this is what there was")
	}
	stat.Report(os.Stdout)
	for _, tear := range files.Torn() {
		fmt.Println(tearText(tear))
	}
	if len(files.Torn()) > 0 {
		return exitStatus(exitFailed)
	}
	return nil
}

type logExportCmd struct {
	Format string `required:"" enum:"har,curl" placeholder:"FORMAT" help:"har, or curl: one command a line."`
	wantedFlags
	maskFlags
}

// Help is what --help shows above the options.
func (*logExportCmd) Help() string {
	return `Secrets are masked, unless --unmask; a body that cannot be masked is left out. The file goes to the standard output.

    mirrorgate log export /var/lib/mirrorgate/peak --format har --from 09:00 --to 09:05 > peak.har
    mirrorgate log export /var/lib/mirrorgate/peak --format curl --unmask`
}

// Run exports.
func (c *logExportCmd) Run() error {
	if c.Format == "har" {
		return c.show(recordings.NewHAR(os.Stdout, c.mask(), buildVersion()))
	}
	return c.show(recordings.NewCurl(os.Stdout, c.mask()))
}
