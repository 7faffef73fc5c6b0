package runtimeapi

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// CPU returns the processor time used by the function's current threads. It is zero except on Linux.
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

// Memory returns the function's peak resident memory in bytes. It is zero except on Linux.
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
