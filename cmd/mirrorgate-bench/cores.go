package main

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// cpus are processors that something is to run on; nil: any.
type cpus = *unix.CPUSet

// halveCores returns the processors that this process may run on as two halves,
// or nil for both if there is but one.
func halveCores() (a, b cpus, err error) {
	var all unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return nil, nil, fmt.Errorf("cannot find out which processors there are: %w", err)
	}
	n := all.Count()
	if n < 2 {
		return nil, nil, nil
	}
	a, b = new(unix.CPUSet), new(unix.CPUSet)
	for cpu, seen := 0, 0; seen < n; cpu++ {
		if !all.IsSet(cpu) {
			continue
		}
		if seen++; seen <= n/2 {
			a.Set(cpu)
		} else {
			b.Set(cpu)
		}
	}
	return a, b, nil
}

// onCores runs f. The processes that it starts stay on those cores: they inherit
// them from the thread that starts them.
func onCores(on cpus, f func() error) (err error) {
	if on == nil {
		return f()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("cannot find out which processors there are: %w", err)
	}
	if err := unix.SchedSetaffinity(0, on); err != nil {
		return fmt.Errorf("cannot choose processors: %w", err)
	}
	defer func() { err = errors.Join(err, unix.SchedSetaffinity(0, &before)) }()
	return f()
}
