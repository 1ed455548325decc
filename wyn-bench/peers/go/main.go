// One measurement per process, the same line of JSON as wyn-bench's probe (see src/record.rs).
//
// Two backends: `go` is what a Go programmer writes for speed (a slot per task, one WaitGroup),
// `go_chan` gives each task a handle of its own (a channel of one element).
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var (
	backend  = flag.String("backend", "go", "go or go_chan")
	workload = flag.String("workload", "", "what to measure")
	n        = flag.Int("n", 1000, "number of tasks")
	grainNs  = flag.Int("grain", 0, "nanoseconds of work per task")
	workers  = flag.Int("workers", 2, "GOMAXPROCS")
	steps    int
)

type figures map[string]float64

// ---- work ----

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

// ---- the two forms: count tasks fn(first), fn(first+1), …, awaited, their results added ----

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

// inside runs body in a goroutine of its own and waits for it.
func inside(body func() uint64) (time.Duration, uint64) {
	var wall time.Duration
	var answer uint64
	done := make(chan struct{})
	go func() {
		wall, answer = timed(body)
		close(done)
	}()
	<-done
	return wall, answer
}

// ---- measuring ----

func timed(body func() uint64) (time.Duration, uint64) {
	start := time.Now()
	answer := body()
	return time.Since(start), answer
}

func usage() (cpu time.Duration, switches float64) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), float64(u.Nvcsw + u.Nivcsw)
}

func kib(file, field string) float64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for _, line := range strings.Split(string(text), "\n") {
		if words := strings.Fields(line); len(words) > 1 && words[0] == field {
			value, _ := strconv.ParseFloat(words[1], 64)
			return value
		}
	}
	return 0
}

func quantile(values []float64, fraction float64) float64 {
	sort.Float64s(values)
	return values[int(math.Round(fraction*float64(len(values)-1)))]
}

func printLine(key string, value any) {
	text, err := json.Marshal(map[string]any{key: value})
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
}

// jointWork keeps all workers busy at once, so that the kernel spreads them over the cores.
func jointWork() {
	end := time.Now().Add(40 * time.Millisecond)
	var wg sync.WaitGroup
	for i := 0; i < *workers; i++ {
		wg.Add(1)
		go func() {
			for time.Now().Before(end) {
			}
			wg.Done()
		}()
	}
	wg.Wait()
}

func throughput(ops int, expected uint64, pass func() (time.Duration, uint64), more figures) {
	var cold, spent time.Duration
	var coldCPU, shares float64
	var walls []float64
	if os.Getenv("WYN_BENCH_SPREAD") != "" {
		jointWork()
		time.Sleep(2 * time.Millisecond)
	}
	for i := 0; i < 8 && (i < 2 || spent < 25*time.Millisecond); i++ {
		if i == 1 {
			jointWork()
		}
		if i > 0 {
			time.Sleep(2 * time.Millisecond)
		}
		start := time.Now()
		before, _ := usage()
		wall, answer := pass()
		after, _ := usage()
		share := float64(after-before) / float64(time.Since(start))
		if answer != expected {
			printLine("wrong", fmt.Sprintf("expected %d, got %d", expected, answer))
			os.Exit(1)
		}
		if i == 0 {
			cold, coldCPU = wall, share
			continue
		}
		spent += wall
		shares += share
		walls = append(walls, float64(wall.Nanoseconds())/float64(ops))
	}
	result := figures{
		"ns":       quantile(walls, 0.5),
		"cold_ns":  float64(cold.Nanoseconds()) / float64(ops),
		"cpu":      shares / float64(len(walls)),
		"cold_cpu": coldCPU,
		"passes":   float64(len(walls)),
		"peak_kib": kib("/proc/self/status", "VmHWM:"),
	}
	for name, value := range more {
		result[name] = value
	}
	printLine("figures", result)
}

func serialSum() uint64 {
	var sum uint64
	for i := 0; i < *n; i++ {
		sum += burn(uint64(i))
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
	throughput(*n, expected, pass, figures{"serial_ns": quantile(serial, 0.5)})
}

func speedup() {
	calibrate(*grainNs)
	expected := serialSum()
	throughput(*n, expected, func() (time.Duration, uint64) {
		return inside(func() uint64 { return await(0, *n, burn) })
	}, nil)
}

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
	if sum := <-result; sum != sumTo(*n) {
		printLine("wrong", fmt.Sprintf("expected %d, got %d", sumTo(*n), sum))
		os.Exit(1)
	}
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

func main() {
	flag.Parse()
	runtime.GOMAXPROCS(*workers)
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
	case "wake":
		wake()
	case "idle":
		idle()
	default:
		printLine("unsupported", "no workload is called "+*workload)
	}
}
