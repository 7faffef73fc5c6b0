package runtimeapi

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// CPU is the processor time that the function's present threads have used so far. Linux only, zero elsewhere.
func (f *Function) CPU() time.Duration {
	files, _ := filepath.Glob(f.proc("task/*/schedstat"))
	var sum time.Duration
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // the thread has ended
		}
		var ns int64
		if _, err := fmt.Sscan(string(text), &ns); err == nil {
			sum += time.Duration(ns)
		}
	}
	return sum
}

// Memory is the most resident memory, in bytes, that the function has held so far. Linux only, zero elsewhere.
func (f *Function) Memory() int64 {
	text, err := os.ReadFile(f.proc("status"))
	if err != nil {
		return 0
	}
	_, line, _ := strings.Cut(string(text), "VmHWM:")
	var kilobytes int64
	fmt.Sscan(line, &kilobytes)
	return kilobytes * 1024
}

func (f *Function) proc(name string) string {
	return filepath.Join("/proc", strconv.Itoa(f.cmd.Process.Pid), name)
}
