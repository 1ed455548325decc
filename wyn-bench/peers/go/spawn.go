package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Two forms of: count tasks fn(first), fn(first+1), …, awaited, their results added.

// withSlots is what a Go programmer writes for speed: a slot per task, one WaitGroup.
func withSlots(first, count int, fn func(uint64) uint64) uint64 {
	slots := make([]uint64, count)
	var wg sync.WaitGroup
	wg.Add(count)
	for i := range slots {
		go func(i int) {
			slots[i] = fn(uint64(first + i))
			wg.Done()
		}(i)
	}
	wg.Wait()
	var sum uint64
	for _, value := range slots {
		sum += value
	}
	return sum
}

// withChannels gives each task a handle of its own: a channel of one element.
func withChannels(first, count int, fn func(uint64) uint64) uint64 {
	handles := make([]chan uint64, count)
	for i := range handles {
		handle := make(chan uint64, 1)
		go func(x uint64) { handle <- fn(x) }(uint64(first + i))
		handles[i] = handle
	}
	var sum uint64
	for _, handle := range handles {
		sum += <-handle
	}
	return sum
}

// await is the form of the backend that is measured.
var await = withSlots

func batches(n, size int) uint64 {
	var sum uint64
	for b := 0; b < n/size; b++ {
		sum += await(b*size, size, same)
	}
	return sum
}

func nested(n int) uint64 {
	return await(0, 1000, func(uint64) uint64 { return await(0, n/1000, same) })
}

func tree(depth uint64) uint64 {
	if depth == 0 {
		return 1
	}
	return await(0, 2, func(uint64) uint64 { return tree(depth - 1) })
}

func depthOf(n int) uint64 {
	depth := uint64(0)
	for (1<<(depth+2))-1 <= n {
		depth++
	}
	return depth
}

func detached(slots []atomic.Uint64) uint64 {
	for i := range slots {
		go func(i int) { slots[i].Store(uint64(i) + 1) }(i)
	}
	var sum uint64
	for i := range slots {
		for round := 0; slots[i].Load() == 0; round++ {
			if round >= 64 {
				runtime.Gosched()
			}
		}
		sum += slots[i].Load() - 1
		slots[i].Store(0)
	}
	return sum
}

func grain() {
	calibrate(*grainNs)
	var expected uint64
	serial := make([]float64, 3)
	for i := range serial {
		var wall time.Duration
		wall, expected = timed(serialSum)
		serial[i] = float64(wall.Nanoseconds()) / float64(*n)
	}
	pass := func() (time.Duration, uint64) { return timed(func() uint64 { return await(0, *n, burn) }) }
	throughput(*n, expected, pass, figures{"serial_ns": median(serial)})
}

func speedup() {
	calibrate(*grainNs)
	expected := serialSum()
	throughput(*n, expected, func() (time.Duration, uint64) {
		return inside(func() uint64 { return await(0, *n, burn) })
	}, nil)
}

// measureSpawn is false for a workload that is not here.
func measureSpawn() bool {
	if *backend == "go_chan" {
		await = withChannels
	}
	main := func(body func() uint64) func() (time.Duration, uint64) {
		return func() (time.Duration, uint64) { return timed(body) }
	}
	in := func(body func() uint64) func() (time.Duration, uint64) {
		return func() (time.Duration, uint64) { return inside(body) }
	}
	all := func() uint64 { return await(0, *n, same) }
	one := func() uint64 { return batches(*n, 1) }
	eight := func() uint64 { return batches(*n, 8) }
	inner := *n / 1000
	runtime.GOMAXPROCS(*workers)
	switch *workload {
	case "spawn_await":
		throughput(*n, sumTo(*n), main(all), nil)
	case "spawn_await_in":
		throughput(*n, sumTo(*n), in(all), nil)
	case "spawn_detached":
		slots := make([]atomic.Uint64, *n)
		throughput(*n, sumTo(*n), main(func() uint64 { return detached(slots) }), nil)
	case "seq":
		throughput(*n, sumTo(*n), main(one), nil)
	case "seq_in":
		throughput(*n, sumTo(*n), in(one), nil)
	case "batch8":
		throughput(*n/8*8, sumTo(*n/8*8), main(eight), nil)
	case "batch8_in":
		throughput(*n/8*8, sumTo(*n/8*8), in(eight), nil)
	case "nested":
		throughput(1000*inner+1000, 1000*sumTo(inner), in(func() uint64 { return nested(*n) }), nil)
	case "tree":
		depth := depthOf(*n)
		throughput(2<<depth-2, 1<<depth, in(func() uint64 { return tree(depth) }), nil)
	case "grain":
		grain()
	case "speedup":
		speedup()
	case "pending":
		pending()
	default:
		return false
	}
	return true
}
