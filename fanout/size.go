package fanout

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// sizePattern is a number and its unit, as people write it: 64k, 64K, 64KB and
// 64KiB are the same.
var sizePattern = regexp.MustCompile(`^(\d+(?:\.\d+)?|\.\d+) ?(?i:([KMGT])(?:i?B)?|B)?$`)

const units = "KMGT" // each is 1024 of the one before

// ParseSize reads a number of bytes above 0. All units are powers of 1024; without one
// it is bytes.
func ParseSize(text string) (int64, error) {
	wrong := fmt.Errorf("%q should be a size like 64K, 512MiB or 1.5G", text)
	parts := sizePattern.FindStringSubmatch(text)
	if parts == nil {
		return 0, wrong
	}
	v, err := strconv.ParseFloat(parts[1], 64)
	if parts[2] != "" {
		v *= math.Pow(1024, float64(1+strings.Index(units, strings.ToUpper(parts[2]))))
	}
	if err != nil || v < 1 || v >= 1<<62 {
		return 0, wrong
	}
	return int64(v), nil
}

// FormatSize writes a number of bytes in the largest unit that makes a whole number.
func FormatSize(size int64) string {
	for i, unit := range slices.Backward([]byte(units)) {
		if n := int64(1) << (10 * (i + 1)); size%n == 0 {
			return fmt.Sprintf("%d%ciB", size/n, unit)
		}
	}
	return strconv.FormatInt(size, 10)
}
