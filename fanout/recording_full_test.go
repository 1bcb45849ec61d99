package fanout

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mirrorgate/mirrorgate/codec"
)

// ownMounts is set in the process whose mounts are its own.
const ownMounts = "MIRRORGATE_OWN_MOUNTS"

// A full disk costs named drops, and nothing that was counted as recorded; when there is
// room again, it goes on by itself.
func TestRecordOnAFullDisk(t *testing.T) {
	if os.Getenv(ownMounts) == "" {
		runWithOwnMounts(t)
		return
	}
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=4m"); err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(disk, unix.MNT_DETACH)
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	rt := listen(t, func(c *rawConn) { c.serve(ok) })
	dir := filepath.Join(disk, "recording")
	f := newFanout(t, nil, "log=file://"+dir+",max=1GiB", "v2="+rt.url)
	log := f.targets[0]
	noise := make([]byte, 20_000)
	n := 0
	submit := func() {
		for i := range noise {
			noise[i] = byte(rand.Int())
		}
		f.Submit([]codec.Request{request("POST", fmt.Sprintf("/%d", n), hex.EncodeToString(noise), "host", "h")})
		n++
		eventually(t, "both outcomes", func() bool {
			return log.metrics.sent.Get()+log.metrics.droppedTotal() == uint64(n) && answered(f.targets[1]) == uint64(n)
		})
	}
	for log.metrics.dropped[dropDisk].Get() < 3 && n < 1000 {
		submit()
	}
	if last := log.failures.get(); last.Kind != "disk" || !strings.Contains(last.Reason, "no space left on device") {
		t.Errorf("last failure %+v", last)
	}
	full := answered(log)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	for answered(log) < full+10 && n < 1000 {
		submit()
	}
	drain(t, f)
	got := recorded(t, dir)
	if len(got) != int(answered(log)) || len(got) < int(full)+10 {
		t.Errorf("%d records, of which %d were counted, %d when the disk was full", len(got), answered(log), full)
	}
	for _, r := range got {
		if len(r.Wire) < 40_000 {
			t.Errorf("a record of %d bytes", len(r.Wire))
		}
	}
}

// runWithOwnMounts runs the test again in a process that may mount, which takes root or
// a user namespace.
func runWithOwnMounts(t *testing.T) {
	command := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1")
	command.Env = append(os.Environ(), ownMounts+"=1")
	command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS, Unshareflags: unix.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		command.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		command.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		command.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	if out, err := command.CombinedOutput(); err != nil || !strings.Contains(string(out), "PASS") {
		t.Errorf("%v: %s", err, out)
	}
}
