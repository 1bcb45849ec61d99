package main

import (
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// What is started on one half of the cores does not run on the other, and what is
// started later runs on all of them again.
func TestOnCores(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	nproc := func(on cpus) (n string) {
		t.Helper()
		err := onCores(on, func() error {
			out, err := exec.Command("nproc").Output()
			n = strings.TrimSpace(string(out))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	a, b, err := halveCores()
	if err != nil {
		t.Fatal(err)
	}
	all := nproc(nil)
	if a == nil {
		if all != "1" {
			t.Errorf("%s cores were not halved", all)
		}
		return
	}
	for cpu := range len(unix.CPUSet{}) * 64 {
		if a.IsSet(cpu) && b.IsSet(cpu) {
			t.Errorf("core %d is in both halves", cpu)
		}
	}
	one := new(unix.CPUSet)
	for cpu := 0; one.Count() == 0; cpu++ {
		if a.IsSet(cpu) {
			one.Set(cpu)
		}
	}
	if n := nproc(one); n != "1" {
		t.Errorf("a process on one core has %s", n)
	}
	if n := nproc(nil); n != all {
		t.Errorf("%s cores are left of %s", n, all)
	}
}
