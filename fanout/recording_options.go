package fanout

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mirrorgate/mirrorgate/fanout/record"
	"github.com/mirrorgate/mirrorgate/fanout/record/kafka"
)

// Recording says how much a target that is a recording keeps.
type Recording struct {
	Max  int64         // bytes of all of it at most
	Age  time.Duration // older requests go; 0: they stay
	Sync record.Sync   // when the disk has to have it
	Mask string        // names like a+b whose values are masked before they are written
}

const fileScheme = "file"

// Records reports whether the target is a recording, and no server.
func (t *TargetConfig) Records() bool {
	return t.URL != nil && (t.URL.Scheme == fileScheme || t.URL.Scheme == kafka.Scheme)
}

func (t *TargetConfig) validateRecording() error {
	u, r := t.URL, &t.Recording
	if _, err := r.newMask([32]byte{}); err != nil {
		return err
	}
	if u.Scheme == kafka.Scheme {
		if r.Max != 0 || r.Age != 0 || r.Sync != record.SyncSecond {
			return fmt.Errorf("max, age and sync are for recordings in files; a topic has its own (retention.bytes, retention.ms)")
		}
		_, err := kafka.ParseURL(u)
		return err
	}
	switch {
	case u.Host != "" || u.Opaque != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || len(filepath.Clean("/"+u.Path)) < 2:
		return fmt.Errorf("the URL of a recording should be like file:///var/lib/mirrorgate/peak")
	case r.Max == 0:
		return fmt.Errorf("max is missing: say how many bytes the recording may take on the disk, like max=20GiB")
	case r.Max < record.MinMax:
		return fmt.Errorf("max is %s, should be at least %s", FormatSize(r.Max), FormatSize(record.MinMax))
	case r.Age < 0 || r.Age > 0 && r.Age < time.Minute:
		return fmt.Errorf("age is %v, should be at least a minute (1m)", r.Age)
	}
	return nil
}

// describeRecording returns a sentence on what is kept, and where.
func (t *TargetConfig) describeRecording() string {
	what := "with the credentials in them"
	if t.Recording.Mask != "" {
		what = "without the values of " + strings.ReplaceAll(t.Recording.Mask, "+", ", ") + ", with all other credentials in them"
	}
	if t.URL.Scheme == kafka.Scheme {
		return fmt.Sprintf("%s keeps whole requests, %s, in topic %s of Kafka at %s, for as long as the topic does",
			t.Name, what, strings.TrimPrefix(t.URL.Path, "/"), t.URL.Host)
	}
	limit := FormatSize(t.Recording.Max)
	if t.Recording.Age > 0 {
		limit += " and " + t.Recording.Age.String()
	}
	return fmt.Sprintf("%s keeps whole requests, %s, in %s: %s at most, in files of mode 600",
		t.Name, what, t.URL.Path, limit)
}

// recordingKey returns a key that the target has, and that only recordings have; or
// nothing.
func (t *TargetConfig) recordingKey() string {
	for _, key := range []string{"max", "age", "sync", "mask"} {
		if t.recordingText(key) != "" {
			return key
		}
	}
	return ""
}

// recordingText returns the value of a key as ParseTarget would read it. It is empty
// if there is none.
func (t *TargetConfig) recordingText(key string) string {
	r := &t.Recording
	switch {
	case key == "max" && r.Max > 0:
		return FormatSize(r.Max)
	case key == "mask":
		return r.Mask
	case key == "age" && r.Age > 0:
		return r.Age.String()
	case key == "sync" && (t.Records() && t.URL.Scheme == fileScheme || r.Sync != record.SyncSecond):
		return r.Sync.String()
	}
	return ""
}

// newMask returns what masks requests; nil: nothing is masked.
func (r *Recording) newMask(key [32]byte) (*record.Mask, error) {
	if r.Mask == "" {
		return nil, nil
	}
	return record.NewMask(key, strings.Split(r.Mask, "+"))
}

func parseSize(key, text string, to *int64) (err error) {
	if *to = 0; text == "" {
		return nil
	}
	if *to, err = ParseSize(text); err != nil {
		return fmt.Errorf("%s is %w", key, err)
	}
	return nil
}

// parseAge reads a duration, which may be in days.
func parseAge(key, text string, to *time.Duration) error {
	if *to = 0; text == "" {
		return nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			*to = time.Duration(n) * 24 * time.Hour
			return nil
		}
	}
	if err := parseDuration(key, text, to); err != nil {
		return fmt.Errorf("%s is %q, should be a time like 12h or 7d", key, text)
	}
	return nil
}
