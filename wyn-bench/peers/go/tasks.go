package main

import (
	"runtime"
	"sync"
	"time"
)

// tasks is how many goroutines take part where there are many.
const tasks = 1000

// The goroutine that spawns the others takes part; the clock runs until all have ended.

func taskPingPong(n, capacity int) uint64 {
	there, back := make(chan uint64, capacity), make(chan uint64, capacity)
	var echo sync.WaitGroup
	start(&echo, func() { echoAll(there, back, n) })
	sum := askAll(there, back, n)
	echo.Wait()
	return sum
}

func taskFanIn(each, capacity int) uint64 {
	channel := make(chan uint64, capacity)
	var all sync.WaitGroup
	for i := range tasks {
		start(&all, func() { sendAll(channel, i*each, (i+1)*each) })
	}
	sum := sumOf(channel, tasks*each)
	all.Wait()
	return sum
}

func taskPipeline(messages, capacity int) uint64 {
	first := make(chan uint64, capacity)
	last := first
	var all sync.WaitGroup
	for range tasks {
		from, to := last, make(chan uint64, capacity)
		last = to
		start(&all, func() {
			for range messages {
				to <- <-from + 1
			}
		})
	}
	start(&all, func() { sendAll(first, 0, messages) })
	sum := sumOf(last, messages)
	all.Wait()
	return sum
}

func start(all *sync.WaitGroup, task func()) {
	all.Add(1)
	go func() {
		task()
		all.Done()
	}()
}

// measureTasks is false for a workload that is not here.
func measureTasks(capacity int) bool {
	each := *n / tasks
	ops, expected := *n, sumTo(*n)
	var body func() uint64
	switch *workload {
	case "task_ping_pong":
		body = func() uint64 { return taskPingPong(*n, capacity) }
	case "task_fan_in":
		ops, expected = tasks*each, sumTo(tasks*each)
		body = func() uint64 { return taskFanIn(each, capacity) }
	case "task_pipeline":
		// Every task adds 1 to every message.
		ops, expected = tasks*each, sumTo(each)+uint64(tasks*each)
		body = func() uint64 { return taskPipeline(each, capacity) }
	default:
		return false
	}
	bounded(capacity)
	runtime.GOMAXPROCS(*workers)
	throughput(ops, expected, func() (time.Duration, uint64) { return inside(body) }, nil)
	return true
}
