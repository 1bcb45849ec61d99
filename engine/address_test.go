package engine

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

func TestParseAddress(t *testing.T) {
	f := func(text, network, at string, mode fs.FileMode, gid int) {
		t.Helper()
		a, err := parseAddress(text)
		if err != nil || a.network != network || a.at != at || a.mode != mode || a.gid != gid {
			t.Errorf("%s is %+v, %v", text, a, err)
		}
	}
	f("127.0.0.1:12345", "tcp", "127.0.0.1:12345", 0, 0)
	f("unix:/run/spop", "unix", "/run/spop", 0, 0)
	f("unix:/run/spop,mode=660", "unix", "/run/spop", 0o660, 0)
	f("unix:/run/spop,group=root,mode=0600", "unix", "/run/spop", 0o600, 0)
	f("unix:/run/spop,group=1", "unix", "/run/spop", 0, 1)

	bad := func(text, want string) {
		t.Helper()
		want = "cannot listen on " + text + ": " + want
		if err := CheckAddress(text); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
		if _, err := listenAll([]string{text}); err == nil || err.Error() != want {
			t.Errorf("%s, when bound: %v, want %s", text, err, want)
		}
	}
	bad("unix:@name", errAbstract.Error())
	bad("unix:\x00name", errAbstract.Error())
	bad("unix:@name,mode=600", errAbstract.Error())
	for _, mode := range []string{"", "0", "rw", "888", "1777", "-1"} {
		bad("unix:/run/spop,mode="+mode, errMode.Error())
	}
	bad("unix:/run/spop,group=no-such-group", `there is no group "no-such-group" on this host`)
	bad("unix:/run/spop,owner=x", `unknown key "owner", should be mode or group, as in unix:PATH,mode=660,group=haproxy`)
}

// A socket has the mode and the group that its address names.
func TestSocketPermissions(t *testing.T) {
	groups, err := os.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		groups = append(groups, 1) // root may give it to any group
	}
	groups = append(groups, os.Getgid())
	for i, gid := range groups {
		for _, mode := range []fs.FileMode{0o600, 0o660, 0o777} {
			path := filepath.Join(t.TempDir(), strconv.Itoa(i))
			listeners, err := listenAll([]string{fmt.Sprintf("unix:%s,mode=%o,group=%d", path, mode, gid)})
			if err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if got := int(info.Sys().(*syscall.Stat_t).Gid); info.Mode().Perm() != mode || got != gid {
				t.Errorf("the socket has mode %o and group %d, want %o and %d", info.Mode().Perm(), got, mode, gid)
			}
			listeners[0].Close()
		}
	}
}
