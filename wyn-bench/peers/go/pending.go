package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// pending counts goroutines that wait at a closed gate: Go has no way to keep one from starting.
func pending() {
	gate := make(chan struct{})
	fn := func(x uint64) uint64 {
		<-gate
		return x
	}
	before := kib("/proc/self/smaps_rollup", "Rss:")
	start := time.Now()
	result := make(chan uint64)
	spawned := make(chan struct{})
	go func() { result <- pendingAwait(fn, spawned) }()
	<-spawned
	wall := time.Since(start)
	for runtime.NumGoroutine() > *n && !allWaiting() {
		time.Sleep(time.Millisecond)
	}
	after := kib("/proc/self/smaps_rollup", "Rss:")
	close(gate)
	check(sumTo(*n), <-result)
	printLine("figures", figures{
		"bytes":    (after - before) * 1024 / float64(*n),
		"spawn_ns": float64(wall.Nanoseconds()) / float64(*n),
		"peak_kib": kib("/proc/self/status", "VmHWM:"),
	})
}

var arrived atomic.Int64

func allWaiting() bool { return arrived.Load() == int64(*n) }

func pendingAwait(fn func(uint64) uint64, spawned chan struct{}) uint64 {
	counted := func(x uint64) uint64 {
		arrived.Add(1)
		return fn(x)
	}
	slots := make([]uint64, *n)
	handles := make([]chan uint64, *n)
	var wg sync.WaitGroup
	wg.Add(*n)
	for i := 0; i < *n; i++ {
		if *backend == "go_chan" {
			handle := make(chan uint64, 1)
			handles[i] = handle
			go func(x uint64) { handle <- counted(x); wg.Done() }(uint64(i))
		} else {
			go func(i int) { slots[i] = counted(uint64(i)); wg.Done() }(i)
		}
	}
	close(spawned)
	wg.Wait()
	var sum uint64
	for i := range slots {
		if *backend == "go_chan" {
			slots[i] = <-handles[i]
		}
		sum += slots[i]
	}
	return sum
}
