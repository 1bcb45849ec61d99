package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mirrorgate/mirrorgate/fanout"
)

// Tuned is the response to a PATCH: what it changed.
type Tuned struct {
	Name    string     `json:"name"`
	Changes []Change   `json:"changes"`
	Until   *time.Time `json:"until,omitempty"` // when it reverts; none: at the next reload
}

// Change is a setting with its value before and after, written as the options
// are.
type Change struct {
	Setting string `json:"setting"`
	Old     string `json:"old"`
	New     string `json:"new"`
}

func (s *Server) patchGroup(w http.ResponseWriter, r *http.Request) {
	var tuning fanout.GroupTuning
	name := r.PathValue("name")
	s.patch(w, r, name, settingReaders{
		"sample": into(&tuning.Sample, fanout.ParseShare),
	}, groupSettings, func(d time.Duration) error { return s.fanout.TuneGroup(name, tuning, d) })
}

func (s *Server) patchTarget(w http.ResponseWriter, r *http.Request) {
	var tuning fanout.TargetTuning
	name := r.PathValue("name")
	s.patch(w, r, name, settingReaders{
		"rate":   into(&tuning.Rate, fanout.ParseRate),
		"weight": into(&tuning.Weight, parseWeight),
		"paused": into(&tuning.Paused, parsePaused),
	}, targetSettings, func(d time.Duration) error { return s.fanout.TuneTarget(name, tuning, d) })
}

// patch reads what is to change, lets tune change it, and responds with the
// settings before and after.
func (s *Server) patch(w http.ResponseWriter, r *http.Request, name string, readers settingReaders,
	settings func([]fanout.GroupState, string) map[string]string, tune func(time.Duration) error) {
	keys, d, err := readers.read(r.Body)
	if err != nil {
		writeError(w, http.StatusBadRequest, err)
		return
	}
	s.tuning.Lock()
	defer s.tuning.Unlock()
	before := settings(s.fanout.Groups(), name)
	if err := tune(d); errors.Is(err, fanout.ErrUnknown) {
		writeError(w, http.StatusNotFound, err)
		return
	} else if err != nil {
		writeError(w, http.StatusBadRequest, err)
		return
	}
	response := Tuned{Name: name}
	if d > 0 {
		until := time.Now().Add(d)
		response.Until = &until
	}
	after := settings(s.fanout.Groups(), name)
	for _, key := range keys {
		response.Changes = append(response.Changes, Change{key, before[key], after[key]})
	}
	writeJSON(w, http.StatusOK, response)
}

// groupSettings are the settings of the group that can be tuned.
func groupSettings(groups []fanout.GroupState, name string) map[string]string {
	for _, g := range groups {
		if g.Name == name {
			return map[string]string{"sample": fanout.FormatShare(g.Sample)}
		}
	}
	return nil
}

// targetSettings are the settings of the target that can be tuned.
func targetSettings(groups []fanout.GroupState, name string) map[string]string {
	for _, g := range groups {
		for _, t := range g.Targets {
			if t.Name == name {
				return map[string]string{
					"rate":   fanout.FormatRate(t.Rate),
					"weight": strconv.Itoa(t.Weight),
					"paused": strconv.FormatBool(t.Paused),
				}
			}
		}
	}
	return nil
}

// settingReaders read the value of each setting that a PATCH may have.
type settingReaders map[string]func(text string) error

var errBody = errors.New(`the body should be one JSON object like {"sample":"2%","for":"10m"}`)

// read returns the keys of the settings that the body has, in order, and for how
// long they are meant; 0: for good. Whatever is wrong is an error.
func (readers settingReaders) read(body io.Reader) (keys []string, d time.Duration, err error) {
	readers["for"] = func(text string) error { return parseFor(text, &d) }
	var values map[string]json.RawMessage
	in := json.NewDecoder(body)
	if err := in.Decode(&values); err != nil || values == nil {
		return nil, 0, bodyError(err)
	}
	if _, err := in.Token(); err != io.EOF {
		return nil, 0, bodyError(err)
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		reader := readers[key]
		if reader == nil {
			return nil, 0, fmt.Errorf("unknown key %q, should be one of %s", key, readers)
		}
		text, err := settingText(values[key])
		if err != nil {
			return nil, 0, fmt.Errorf("%s is %s, %w", key, values[key], err)
		}
		if err := reader(text); err != nil {
			return nil, 0, err
		}
		if key != "for" {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, 0, fmt.Errorf("there is nothing to change: give one of %s", readers)
	}
	return keys, d, nil
}

// String lists the keys.
func (readers settingReaders) String() string {
	return strings.Join(slices.Sorted(maps.Keys(readers)), ", ")
}

// bodyError is for a body that is not the JSON that it should be.
func bodyError(err error) error {
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return fmt.Errorf("the body is longer than %d bytes", tooLarge.Limit)
	}
	return errBody
}

var errSetting = errors.New("should be a text, a number, true or false")

// settingText returns a value as an option would have it: clients may write
// "2%" or 0.02, "200/s" or 200.
func settingText(value json.RawMessage) (string, error) {
	var v any
	in := json.NewDecoder(strings.NewReader(string(value)))
	in.UseNumber()
	if err := in.Decode(&v); err != nil {
		return "", errSetting
	}
	switch v := v.(type) {
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	}
	return "", errSetting
}

// into reads a value to where nil means that it stays as it is.
func into[T any](to **T, parse func(string) (T, error)) func(string) error {
	return func(text string) error {
		v, err := parse(text)
		if err == nil {
			*to = &v
		}
		return err
	}
}

func parseWeight(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("weight is %q, should be a whole number from 1 on", text)
	}
	return n, nil
}

func parsePaused(text string) (bool, error) {
	if text != "true" && text != "false" {
		return false, fmt.Errorf("paused is %q, should be true or false", text)
	}
	return text == "true", nil
}

// maxFor is how long a change may last that reverts by itself.
const maxFor = 24 * time.Hour

func parseFor(text string, to *time.Duration) (err error) {
	if *to, err = time.ParseDuration(text); err != nil || *to <= 0 {
		return fmt.Errorf("for is %q, should be a time above 0, like 30s or 10m", text)
	}
	if *to > maxFor {
		return fmt.Errorf("for is %q, should be a day (24h) at most; without it a change stays until the configuration is read again", text)
	}
	return nil
}
