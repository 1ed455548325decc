package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

type figures map[string]float64

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

func timed(body func() uint64) (time.Duration, uint64) {
	start := time.Now()
	answer := body()
	return time.Since(start), answer
}

// usage is the processor time of this process, and how often its threads gave up or lost a processor.
func usage() (cpu time.Duration, switches float64) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), float64(u.Nvcsw + u.Nivcsw)
}

// kib is the value of a field of a file below /proc; 0 where there is none.
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

// quantile is the value at a fraction of the sorted values.
func quantile(values []float64, fraction float64) float64 {
	sort.Float64s(values)
	return values[int(math.Round(fraction*float64(len(values)-1)))]
}

func median(values []float64) float64 {
	sort.Float64s(values)
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle]
	}
	return (values[middle-1] + values[middle]) / 2
}

func printLine(key string, value any) {
	text, err := json.Marshal(map[string]any{key: value})
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
}

// check ends the program where an answer is wrong.
func check(expected, came uint64) {
	if came != expected {
		printLine("wrong", fmt.Sprintf("expected %d, got %d", expected, came))
		os.Exit(1)
	}
}

// perOp is nanoseconds per operation.
func perOp(wall time.Duration, ops int) float64 {
	return float64(wall.Nanoseconds()) / float64(max(ops, 1))
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

// throughput is a cold pass, joint work, then warm passes with a pause before each.
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
		check(expected, answer)
		if i == 0 {
			cold, coldCPU = wall, share
			continue
		}
		spent += wall
		shares += share
		walls = append(walls, perOp(wall, ops))
	}
	result := figures{
		"ns":       median(walls),
		"cold_ns":  perOp(cold, ops),
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
