package main

import (
	"runtime"
	"sync/atomic"
	"time"
)

// wake measures from a go statement while nothing runs until the goroutine runs.
func wake() {
	jointWork()
	base := time.Now()
	var ran atomic.Int64
	wakes, calls := make([]float64, *n), make([]float64, *n)
	for i := range wakes {
		time.Sleep(3 * time.Millisecond)
		ran.Store(0)
		start := time.Since(base)
		go func() { ran.Store(int64(time.Since(base))) }()
		calls[i] = float64(time.Since(base) - start)
		for ran.Load() == 0 {
		}
		wakes[i] = float64(ran.Load()) - float64(start)
	}
	printLine("figures", figures{
		"ns": quantile(wakes, 0.5), "p99_ns": quantile(wakes, 0.99), "call_ns": quantile(calls, 0.5),
	})
}

// idle measures what a runtime with nothing to do takes.
func idle() {
	detached(make([]atomic.Uint64, *n))
	time.Sleep(500 * time.Millisecond)
	cpu, switches := usage()
	time.Sleep(2 * time.Second)
	cpuAfter, switchesAfter := usage()
	printLine("figures", figures{
		"cpu_percent":    float64(cpuAfter-cpu) / float64(2*time.Second) * 100,
		"switches_per_s": (switchesAfter - switches) / 2,
	})
}

// measureSleep is false for a workload that is not here.
func measureSleep() bool {
	runtime.GOMAXPROCS(*workers)
	switch *workload {
	case "wake":
		wake()
	case "idle":
		idle()
	default:
		return false
	}
	return true
}
