package bench

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// Whoever reads the JSON finds each of its keys explained.
func TestReportKeys(t *testing.T) {
	var known func(reflect.Type)
	known = func(of reflect.Type) {
		for i := range of.NumField() {
			key, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			if key == "" {
				continue
			}
			if !regexp.MustCompile(`\b` + key + `\b`).MatchString(ReportKeys) {
				t.Errorf("%s is not explained", key)
			}
			if of.Field(i).Type == reflect.TypeFor[LatencyReport]() {
				known(of.Field(i).Type)
			}
		}
	}
	known(reflect.TypeFor[Report]())
}
