package haproxy

import (
	"fmt"
	"os/exec"
)

// Version is like 2.6. It tells which half of the field a HAProxy is from.
type Version struct{ Major, Minor int }

// Installed asks the haproxy on PATH.
func Installed() (v Version, err error) {
	path, err := Find()
	if err != nil {
		return v, err
	}
	out, err := exec.Command(path, "-v").Output()
	if err != nil {
		return v, fmt.Errorf("cannot run %s: %w", path, err)
	}
	if _, err := fmt.Sscanf(string(out), "HAProxy version %d.%d", &v.Major, &v.Minor); err != nil {
		return v, fmt.Errorf("cannot read the version in %.40q: %w", out, err)
	}
	return v, nil
}

// Mux reports whether it is 3.1 or later, where SPOP is a protocol of the
// connection layer ("mode spop") and no longer an applet of the filter.
func (v Version) Mux() bool { return v.Major > 3 || v.Major == 3 && v.Minor >= 1 }

// String returns it like 2.6.
func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }
