// One measurement per process by the line protocol of ../README.md.
//
// Two backends: `go` is what a Go programmer writes for speed, `go_chan` gives each task a handle of its own (a
// channel of one element). They differ in the workloads of spawn.go only.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
)

var (
	version  = flag.Bool("version", false, "print the version of Go and end")
	backend  = flag.String("backend", "go", "go or go_chan")
	workload = flag.String("workload", "", "what to measure")
	n        = flag.Int("n", 1000, "number of tasks or of messages")
	grainNs  = flag.Int("grain", 0, "nanoseconds of work per task")
	workers  = flag.Int("workers", 2, "GOMAXPROCS; on channels between threads, senders and receivers")
	room     = flag.String("capacity", "", "messages that a channel holds, or unbounded")
)

// unbounded is the capacity of channels that Go does not have; noCapacity stands where none is given.
const (
	unbounded  = -1
	noCapacity = -2
)

// arguments ends the program where a word makes no sense; the flag package does so for others.
func arguments() (capacity int) {
	flag.Parse()
	if *version {
		fmt.Println(runtime.Version())
		os.Exit(0)
	}
	capacity, err := noCapacity, error(nil)
	switch *room {
	case "":
	case "unbounded":
		capacity = unbounded
	default:
		capacity, err = strconv.Atoi(*room)
	}
	negative := *room != "" && *room != "unbounded" && capacity < 0
	named := *backend == "go" || *backend == "go_chan"
	if err != nil || negative || !named || flag.NArg() > 0 || *workload == "" || *n < 0 || *grainNs < 0 || *workers < 1 {
		flag.Usage()
		os.Exit(2)
	}
	return capacity
}

func main() {
	capacity := arguments()
	if measureSpawn() || measureSleep() || measureTasks(capacity) || measureChannels(capacity) {
		return
	}
	printLine("unsupported", "no workload is called "+*workload)
}
