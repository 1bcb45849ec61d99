package bench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// usage is what a process group took from the operating system.
type usage struct {
	cpu     time.Duration // user and system time, ended children included
	peakRSS uint64        // bytes, the sum of each process's peak
}

// clockTick is the unit of /proc/PID/stat: USER_HZ is 100 on every Linux.
const clockTick = time.Second / 100

// groupUsage adds up all processes of the group.
func groupUsage(group int) (u usage, err error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return u, err
	}
	members := 0
	for _, name := range stats {
		stat, err := os.ReadFile(name)
		if err != nil {
			continue // it has just ended
		}
		g, cpu, err := parseStat(stat)
		if err != nil {
			return u, fmt.Errorf("cannot read %s: %w", name, err)
		}
		if g != group {
			continue
		}
		members++
		u.cpu += cpu
		status, _ := os.ReadFile(filepath.Join(filepath.Dir(name), "status"))
		u.peakRSS += parsePeak(status)
	}
	if members == 0 {
		return u, fmt.Errorf("cannot find process group %d", group)
	}
	return u, nil
}

// parseStat reads /proc/PID/stat: the process group and the CPU time.
func parseStat(stat []byte) (group int, cpu time.Duration, err error) {
	// The name in brackets may hold anything, so count from behind it.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 15 {
		return 0, 0, fmt.Errorf("%d fields are too few", len(fields))
	}
	if group, err = strconv.Atoi(string(fields[2])); err != nil {
		return 0, 0, err
	}
	for _, f := range fields[11:15] { // utime stime cutime cstime
		ticks, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return 0, 0, err
		}
		cpu += time.Duration(ticks) * clockTick
	}
	return group, cpu, nil
}

// parsePeak reads VmHWM of /proc/PID/status, in bytes; 0 if there is none, as
// in a process that has ended.
func parsePeak(status []byte) uint64 {
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kb, _ := strconv.ParseUint(string(fields[0]), 10, 64)
	return kb << 10
}
