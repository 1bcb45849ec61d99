package admin

import (
	"fmt"
	"math"
	"slices"

	"github.com/mirrorgate/mirrorgate/fanout"
	"github.com/mirrorgate/mirrorgate/fanout/compare/tally"
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

// comparedTotals are those of each target that is compared with another one.
type comparedTotals map[string]tally.Totals

func totalsOf(f *fanout.Fanout) comparedTotals {
	all := comparedTotals{}
	for _, c := range f.Compared() {
		if totals, err := f.Totals(c.Target); err == nil { // or there is nothing to show
			all[c.Target] = totals
		}
	}
	return all
}

// addPoints adds, of what was explained since before, the share in which the target
// differs beyond noise, and that of the noise beyond it; NaN if that was nothing.
func (now comparedTotals) addPoints(points map[string]float64, before comparedTotals) {
	for target, n := range now {
		since := before[target]
		if n.Explained < since.Explained {
			since = tally.Totals{} // it began anew
		}
		explained := float64(n.Explained - since.Explained)
		points["target/"+target+"/differs"] = float64(n.Excess.Differs-since.Excess.Differs) / explained
		points["target/"+target+"/noise"] = float64(n.Excess.Noise-since.Excess.Noise) / explained
	}
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
