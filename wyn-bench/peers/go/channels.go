package main

import "runtime"

// What Rust's backends do with threads, goroutines do here, on all processors: there are no others in Go.

func sendAll(channel chan<- uint64, from, to int) {
	for msg := from; msg < to; msg++ {
		channel <- uint64(msg)
	}
}

func sumOf(channel <-chan uint64, count int) uint64 {
	var sum uint64
	for ; count > 0; count-- {
		sum += <-channel
	}
	return sum
}

func sending(channel chan<- uint64, from, to int) body {
	return func() uint64 {
		sendAll(channel, from, to)
		return 0
	}
}

func receiving(channel <-chan uint64, count int) body {
	return func() uint64 { return sumOf(channel, count) }
}

func oneThread(n, capacity int) run {
	channel := make(chan uint64, capacity)
	return alone(func() uint64 {
		sendAll(channel, 0, n)
		return sumOf(channel, n)
	})
}

// many has so many senders and receivers, with as many messages for each.
func many(senders, receivers, n, capacity int) run {
	channel := make(chan uint64, capacity)
	var bodies []body
	for range receivers {
		bodies = append(bodies, receiving(channel, n/receivers))
	}
	for i := range senders {
		bodies = append(bodies, sending(channel, i*(n/senders), (i+1)*(n/senders)))
	}
	return race(bodies...)
}

func pingPong(n, capacity int) run {
	there, back := make(chan uint64, capacity), make(chan uint64, capacity)
	ask := func() uint64 { return askAll(there, back, n) }
	echo := func() uint64 {
		echoAll(there, back, n)
		return 0
	}
	return race(ask, echo)
}

func askAll(there chan<- uint64, back <-chan uint64, n int) uint64 {
	var sum uint64
	for msg := range n {
		there <- uint64(msg)
		sum += <-back
	}
	return sum
}

func echoAll(there <-chan uint64, back chan<- uint64, n int) {
	for range n {
		back <- <-there
	}
}

// crowd is eight goroutines beside two, in one process.
func crowd(n, capacity int) figures {
	n = n / 4 * 4
	pair := passes(n, sumTo(n), func() run { return many(1, 1, n, capacity) })
	result := passes(n, sumTo(n), func() run { return many(4, 4, n, capacity) })
	result["pair_ns"] = pair["ns"]
	result["over_pair"] = result["ns"] / max(pair["ns"], 1e-9)
	return result
}

// oneshot is a channel with room for its one message, each made, used and dropped.
func oneshot(n int) run {
	return alone(func() uint64 {
		var sum uint64
		for msg := range n {
			channel := make(chan uint64, 1)
			channel <- uint64(msg)
			sum += <-channel
		}
		return sum
	})
}

func oneshotAcross(n int) run {
	channels := make([]chan uint64, n)
	for i := range channels {
		channels[i] = make(chan uint64, 1)
	}
	receive := func() uint64 {
		var sum uint64
		for _, channel := range channels {
			sum += <-channel
		}
		return sum
	}
	send := func() uint64 {
		for msg, channel := range channels {
			channel <- uint64(msg)
		}
		return 0
	}
	return race(receive, send)
}

// bounded ends the program where a capacity is needed that Go's channels do not have.
func bounded(capacity int) {
	switch capacity {
	case noCapacity:
		unsupported("a channel has a capacity: --capacity 100")
	case unbounded:
		unsupported("a channel has a limit")
	}
}

// measureChannels is false for a workload that is not here.
func measureChannels(capacity int) bool {
	runtime.GOMAXPROCS(runtime.NumCPU())
	// Where there are several of a side, each has the same share.
	k := *workers
	shared := *n / k * k
	single := func(ops int, pass func() run) { printLine("figures", passes(ops, sumTo(ops), pass)) }
	switch *workload {
	case "oneshot":
		single(*n, func() run { return oneshot(*n) })
		return true
	case "oneshot_across":
		single(*n, func() run { return oneshotAcross(*n) })
		return true
	case "async_spsc", "async_ping_pong":
		unsupported("nothing to await")
	case "one_thread", "spsc", "mpsc", "mpmc", "select_rx", "select_both", "ping_pong", "fan_in", "crowd", "blocked":
		bounded(capacity)
	}
	switch *workload {
	case "one_thread":
		if capacity < *n {
			unsupported("one thread cannot send more than the channel holds")
		}
		single(*n, func() run { return oneThread(*n, capacity) })
	case "spsc":
		single(*n, func() run { return many(1, 1, *n, capacity) })
	case "mpsc":
		single(shared, func() run { return many(k, 1, shared, capacity) })
	case "mpmc":
		single(shared, func() run { return many(k, k, shared, capacity) })
	case "select_rx":
		single(shared, func() run { return selectRx(k, shared, capacity) })
	case "select_both":
		single(shared, func() run { return selectBoth(k, shared, capacity) })
	case "ping_pong":
		single(*n, func() run { return pingPong(*n, capacity) })
	case "fan_in":
		single(*n/tasks*tasks, func() run { return fanIn(*n/tasks, capacity) })
	case "crowd":
		printLine("figures", crowd(*n, capacity))
	case "blocked":
		blocked(capacity)
	default:
		return false
	}
	return true
}
