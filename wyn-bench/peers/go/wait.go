package main

import (
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// fanIn has a thousand senders; the clock starts once all of them run, most of them blocked.
func fanIn(each, capacity int) run {
	channel := make(chan uint64, capacity)
	var running atomic.Int64
	var all sync.WaitGroup
	for i := range tasks {
		start(&all, func() {
			running.Add(1)
			sendAll(channel, i*each, (i+1)*each)
		})
	}
	for running.Load() < tasks {
		time.Sleep(time.Millisecond)
	}
	done := alone(receiving(channel, tasks*each))
	all.Wait()
	return done
}

// blocked watches a receiver that waits, and a sender that waits for room.
func blocked(capacity int) {
	watch := time.Second
	if *grainNs > 0 {
		watch = time.Duration(*grainNs)
	}
	empty, full := make(chan uint64), make(chan uint64, capacity)
	received, sent := make(chan uint64, 1), make(chan struct{})
	go func() { received <- <-empty }()
	go func() {
		sendAll(full, 0, capacity+1)
		close(sent)
	}()
	time.Sleep(50 * time.Millisecond)
	cpu, switches := usage()
	time.Sleep(watch)
	cpuAfter, switchesAfter := usage()
	empty <- 42
	right := <-received == 42
	for msg := range capacity + 1 {
		right = <-full == uint64(msg) && right
	}
	<-sent
	if !right {
		printLine("wrong", "a blocked goroutine did not get what was sent")
		os.Exit(1)
	}
	printLine("figures", figures{
		"cpu_percent":    float64(cpuAfter-cpu) / float64(watch) * 100,
		"switches_per_s": (switchesAfter - switches) / watch.Seconds(),
	})
}
