package main

import (
	"log/slog"
	"time"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/replay"
	"github.com/mirrorgate/mirrorgate/fanout"
	"github.com/mirrorgate/mirrorgate/fanout/record"
	"github.com/mirrorgate/mirrorgate/fanout/record/kafka"
)

// source is a recording that is read.
type source interface {
	replay.Source
	Progress() (read, all int64)
	Tend()             // should be called now and then
	Finish() error     // all that Next returned is finished
	Rewind()           // of a folder: to its first request
	Tell(*slog.Logger) // what is missing
	Close()
}

// sourceRange says what is read of it, and who shares that.
type sourceRange struct {
	from, to time.Time
	group    string         // of Kafka; empty: nobody
	sink     *fanout.Fanout // of a group: where the requests go
}

func openSource(recording string, login kafka.Login, wanted sourceRange) (source, error) {
	if !kafka.IsURL(recording) {
		r, err := record.NewReader(recording, wanted.from, wanted.to)
		if err != nil {
			return nil, err
		}
		return folder{r}, nil
	}
	address, err := kafka.Parse(recording)
	if err != nil {
		return nil, usageError{err}
	}
	r, err := kafka.Open(kafka.Config{
		Address: address, Login: login, From: wanted.from, To: wanted.to, Group: wanted.group,
		Mark: func() func() bool {
			mark := wanted.sink.Mark()
			return func() bool { return wanted.sink.Ended(mark) }
		},
	})
	if err != nil {
		return nil, err
	}
	return topic{r}, nil
}

type folder struct{ *record.Reader }

func (folder) Tend()         {}
func (folder) Finish() error { return nil }

// Tell logs where the recording is not whole.
func (f folder) Tell(log *slog.Logger) {
	for _, tear := range f.Torn() {
		log.Warn("the recording is torn: what was there is not replayed", "file", tear.File, "at", tear.At, "bytes", tear.Lost)
	}
	if gone := f.Gone(); gone > 0 {
		log.Warn("segments were removed before they were read", "segments", gone)
	}
}

type topic struct{ *kafka.Reader }

func (topic) Rewind()           { panic("BUG: a topic is played once") }
func (topic) Tell(*slog.Logger) {}
