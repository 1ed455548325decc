package main

import "reflect"

// A select statement has a fixed number of cases: up to four channels go through one with four, where a nil
// channel is never ready; more of them through reflect, as a program does that knows its channels at run time only.
const cases = 4

func sumOfAny(channels []chan uint64, count int) uint64 {
	if len(channels) > cases {
		return sumOfAnyReflected(channels, count)
	}
	var c [cases]chan uint64
	copy(c[:], channels)
	var sum uint64
	for ; count > 0; count-- {
		var msg uint64
		select {
		case msg = <-c[0]:
		case msg = <-c[1]:
		case msg = <-c[2]:
		case msg = <-c[3]:
		}
		sum += msg
	}
	return sum
}

func sendToAny(channels []chan uint64, from, to int) {
	if len(channels) > cases {
		sendToAnyReflected(channels, from, to)
		return
	}
	var c [cases]chan uint64
	copy(c[:], channels)
	for i := from; i < to; i++ {
		msg := uint64(i)
		select {
		case c[0] <- msg:
		case c[1] <- msg:
		case c[2] <- msg:
		case c[3] <- msg:
		}
	}
}

func sumOfAnyReflected(channels []chan uint64, count int) uint64 {
	any := arms(channels, reflect.SelectRecv)
	var sum uint64
	for ; count > 0; count-- {
		_, msg, _ := reflect.Select(any)
		sum += msg.Uint()
	}
	return sum
}

func sendToAnyReflected(channels []chan uint64, from, to int) {
	any := arms(channels, reflect.SelectSend)
	for i := from; i < to; i++ {
		msg := reflect.ValueOf(uint64(i))
		for arm := range any {
			any[arm].Send = msg
		}
		reflect.Select(any)
	}
}

func arms(channels []chan uint64, direction reflect.SelectDir) []reflect.SelectCase {
	arms := make([]reflect.SelectCase, len(channels))
	for i, channel := range channels {
		arms[i] = reflect.SelectCase{Dir: direction, Chan: reflect.ValueOf(channel)}
	}
	return arms
}

func open(count, capacity int) []chan uint64 {
	channels := make([]chan uint64, count)
	for i := range channels {
		channels[i] = make(chan uint64, capacity)
	}
	return channels
}

// selectRx has a sender for each channel and one receiver for all.
func selectRx(k, n, capacity int) run {
	channels := open(k, capacity)
	bodies := []body{func() uint64 { return sumOfAny(channels, n) }}
	for i, channel := range channels {
		bodies = append(bodies, sending(channel, i*(n/k), (i+1)*(n/k)))
	}
	return race(bodies...)
}

// selectBoth has as many senders as receivers, and all of them select.
func selectBoth(k, n, capacity int) run {
	channels := open(k, capacity)
	var bodies []body
	for i := range k {
		bodies = append(bodies, func() uint64 { return sumOfAny(channels, n/k) })
		bodies = append(bodies, func() uint64 {
			sendToAny(channels, i*(n/k), (i+1)*(n/k))
			return 0
		})
	}
	return race(bodies...)
}
