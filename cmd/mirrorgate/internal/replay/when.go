package replay

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParseSpeed reads 1x, 2.5x, or max, which is 0.
func ParseSpeed(text string) (float64, error) {
	if text == "max" {
		return 0, nil
	}
	number, ok := strings.CutSuffix(text, "x")
	speed, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || !(speed > 0 && speed <= 10_000) {
		return 0, fmt.Errorf("speed is %q, should be like 1x or 2.5x, or max", text)
	}
	return speed, nil
}

// timeLayouts are those of ParseTime: with a zone, in local time, and without the day.
var timeLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02"}

// ParseTime reads a time: 2026-11-26T09:00, with seconds or a zone if need be, or 10:00
// on the given day. An empty text is the zero time.
func ParseTime(text string, day time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range timeLayouts {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			y, m, d := day.Date()
			return time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, day.Location()), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q should be a time like 2026-11-26T09:00 or 10:00", text)
}

// ParseRange reads the texts of from and to; a to without a day is on that of from.
func ParseRange(from, to string, now time.Time) (f, t time.Time, err error) {
	if f, err = ParseTime(from, now); err != nil {
		return f, t, fmt.Errorf("--from: %w", err)
	}
	day := f
	if day.IsZero() {
		day = now
	}
	if t, err = ParseTime(to, day); err != nil {
		return f, t, fmt.Errorf("--to: %w", err)
	}
	if !f.IsZero() && !t.IsZero() && !f.Before(t) {
		return f, t, fmt.Errorf("--to: %s is not later than --from, %s", t.Format(time.DateTime), f.Format(time.DateTime))
	}
	return f, t, nil
}
