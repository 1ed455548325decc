package main

import (
	"math"
	"runtime"
	"time"
)

// steps of burn that take *grainNs.
var steps int

func burn(x uint64) uint64 {
	for i := 0; i < steps; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}

func same(x uint64) uint64 { return x }

func calibrate(ns int) {
	best := time.Duration(math.MaxInt64)
	steps = 20000
	var sink uint64
	for i := 0; i < 50; i++ {
		start := time.Now()
		sink += burn(uint64(i))
		if took := time.Since(start); took < best {
			best = took
		}
	}
	runtime.KeepAlive(sink)
	steps = int(float64(ns) * 20000 / float64(best.Nanoseconds()))
}

func sumTo(n int) uint64 {
	if n == 0 {
		return 0
	}
	return uint64(n) * uint64(n-1) / 2
}

func serialSum() uint64 {
	var sum uint64
	for i := 0; i < *n; i++ {
		sum += burn(uint64(i))
	}
	return sum
}
