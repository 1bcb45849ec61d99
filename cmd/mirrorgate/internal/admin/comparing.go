package admin

import (
	"fmt"
	"math"
	"slices"

	"github.com/mirrorgate/mirrorgate/fanout"
	"github.com/mirrorgate/mirrorgate/fanout/compare/verdict"
)

// alike are the results of mirrorgate_compare_total of which none says that something
// differs.
var alike = []string{"same", "same_status", "uncompared"}

// differing is how much of what was compared differs.
func differing(rates map[string]float64) (sum float64) {
	for result, rate := range rates {
		if !slices.Contains(alike, result) {
			sum += rate
		}
	}
	return sum
}

// differingShare is what share of it differs; NaN if nothing was compared.
func differingShare(rates map[string]float64) float64 {
	all := 0.0
	for _, rate := range rates {
		all += rate
	}
	return differing(rates) / all
}

// comparing says how the target differs at present, if it does, and otherwise than
// noise.
func (t *TargetStats) comparing() []Note {
	if t.Against == fanout.AgainstProduction {
		if rate := t.CompareRate["status"]; rate > 0 {
			return []Note{{"warn", fmt.Sprintf("%s responds to %s/s unlike production: see /api/differences.", t.Name, formatCount(rate))}}
		}
		return nil
	}
	share, noise := differingShare(t.CompareRate), 0.0
	text := fmt.Sprintf("%s differs from %s in %s of its pairs", t.Name, t.Against, formatPercent(share))
	if known := differingShare(t.NoiseRate); t.Noise != "" && !math.IsNaN(known) {
		noise = known
		text += fmt.Sprintf(", %s from %s in %s", t.Noise, t.Against, formatPercent(noise))
	}
	if !(share > noise+verdict.DefaultTolerance) {
		return nil
	}
	return []Note{{"warn", text + ": mirrorgate verdict " + t.Name + " says where."}}
}
