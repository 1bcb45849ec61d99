package options

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestWarnings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(o Options, mode fs.FileMode, limit int64, want ...string) {
		t.Helper()
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		for i := range want {
			want[i] = strings.ReplaceAll(want[i], "FILE", file)
		}
		if got := o.warnings(limit); !slices.Equal(got, want) {
			t.Errorf("%+v with mode %o: %q, want %q", o, mode, got, want)
		}
	}
	const secret = "everybody on this host may read or change this secret: chmod o= FILE"
	const open = "everybody on this host may change this file: chmod o-w FILE"
	f(Options{Config: file, AdminTokenFile: file, TLSKey: file}, 0o660, 0)
	f(Options{Config: file}, 0o644, 0)
	f(Options{Config: file}, 0o646, 0, "--config FILE: "+open)
	f(Options{AdminTokenFile: file}, 0o604, 0, "--admin-token-file FILE: "+secret)
	f(Options{AdminTokenFile: file}, 0o602, 0, "--admin-token-file FILE: "+secret)
	f(Options{TLSKey: file}, 0o644, 0, "--tls-key FILE: "+secret)
	f(Options{Config: "/dev/null", TLSKey: "/does/not/exist"}, 0o600, 0)

	f(Options{Memory: 512 << 20}, 0o600, 704<<20)
	f(Options{Memory: 2 << 30}, 0o600, 1280<<20, "--memory 2GiB takes 2624MiB with all that belongs to it, but this service may have 1280MiB: "+
		"lower it, or raise the limit (MemoryMax= in its unit, which config systemd prints)")
}
