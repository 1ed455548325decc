package main

import (
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// body is what one goroutine does; its share of the answer.
type body func() uint64

// run is one pass: how long, the answer, and processor seconds per second meanwhile.
type run struct {
	wall   time.Duration
	answer uint64
	cpu    float64
}

// race starts every body in a goroutine of its own, all from the same moment, after 3 ms in which all are busy,
// so that the kernel spreads them. The clock runs from the first start until the last end.
func race(bodies ...body) run {
	type lap struct {
		start, end time.Time
		answer     uint64
	}
	line := startLine{count: int64(len(bodies))}
	laps := make([]lap, len(bodies))
	var all sync.WaitGroup
	for i, body := range bodies {
		start(&all, func() {
			line.wait()
			start := time.Now()
			answer := body()
			laps[i] = lap{start, time.Now(), answer}
		})
	}
	all.Wait()
	after, _ := usage()
	first, last, sum := laps[0].start, laps[0].end, uint64(0)
	for _, lap := range laps {
		if lap.start.Before(first) {
			first = lap.start
		}
		if lap.end.After(last) {
			last = lap.end
		}
		sum += lap.answer
	}
	return over(last.Sub(first), sum, after-line.before)
}

// startLine is where the bodies of a race meet.
type startLine struct {
	count              int64
	arrived, accounted atomic.Int64
	warm, started      atomic.Bool
	before             time.Duration
}

// wait lets the last to arrive lead. The kernel counts what a running thread has used at its next tick only, or
// when it yields: so all yield before the processor time is read.
func (line *startLine) wait() {
	lead := line.arrived.Add(1) == line.count
	if lead {
		for end := time.Now().Add(3 * time.Millisecond); time.Now().Before(end); {
		}
		line.warm.Store(true)
	}
	line.spinUntil(line.warm.Load)
	syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0)
	line.accounted.Add(1)
	if lead {
		line.spinUntil(func() bool { return line.accounted.Load() == line.count })
		line.before, _ = usage()
		line.started.Store(true)
	}
	line.spinUntil(line.started.Load)
}

// spinUntil lets others run now and then where goroutines share a processor.
func (line *startLine) spinUntil(done func() bool) {
	crowded := line.count > int64(runtime.GOMAXPROCS(0))
	for rounds := 1; !done(); rounds++ {
		if crowded && rounds%64 == 0 {
			runtime.Gosched()
		}
	}
}

// alone runs a body here.
func alone(body body) run {
	before, _ := usage()
	wall, answer := timed(body)
	after, _ := usage()
	return over(wall, answer, after-before)
}

func over(wall time.Duration, answer uint64, cpu time.Duration) run {
	return run{wall, answer, float64(cpu) / float64(max(wall, 1))}
}

// passes measures one pass apart, then up to seven within 25 ms; every answer is checked.
func passes(ops int, expected uint64, pass func() run) figures {
	checked := func() run {
		done := pass()
		check(expected, done.answer)
		return done
	}
	cold := checked()
	var walls []float64
	var spent time.Duration
	var shares float64
	for len(walls) == 0 || (spent < 25*time.Millisecond && len(walls) < 7) {
		warm := checked()
		spent += warm.wall
		shares += warm.cpu
		walls = append(walls, perOp(warm.wall, ops))
	}
	return figures{
		"ns":       median(walls),
		"cold_ns":  perOp(cold.wall, ops),
		"cpu":      shares / float64(len(walls)),
		"passes":   float64(len(walls)),
		"peak_kib": kib("/proc/self/status", "VmHWM:"),
	}
}

// unsupported prints why there is no such thing here, and ends.
func unsupported(why string) {
	printLine("unsupported", why)
	os.Exit(0)
}
