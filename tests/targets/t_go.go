// SPDX-License-Identifier: Apache-2.0

// A Go program whose goroutines grow and shrink their stacks and allocate while the garbage
// collector runs all the time, as target.h has it: "ready", a byte on stdin, truth, "done". It works
// for -seconds, in rounds whose values it checks.
// Truth: calls of main.grow, main.allocate and main.round since the handshake.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

var growCalls, allocateCalls, roundCalls uint64

type node struct {
	left, right *node
	value       int
}

//go:noinline
func allocate(depth int) *node {
	atomic.AddUint64(&allocateCalls, 1)
	if depth == 0 {
		return &node{nil, nil, 1}
	}
	return &node{allocate(depth - 1), allocate(depth - 1), 1}
}

func (n *node) sum() int {
	if n == nil {
		return 0
	}
	return n.value + n.left.sum() + n.right.sum()
}

// grow needs about 300 bytes of stack a call: the stack of its goroutine is moved several times.
//
//go:noinline
func grow(depth int, above *int) int {
	atomic.AddUint64(&growCalls, 1)
	var block [32]int
	block[depth%32] = *above + depth
	if depth == 0 {
		return block[0]
	}
	return grow(depth-1, &block[depth%32]) + 1
}

//go:noinline
func round(seed int) bool {
	atomic.AddUint64(&roundCalls, 1)
	const depth = 200
	right := grow(depth, &seed) == seed+depth*(depth+1)/2+depth
	return right && allocate(6).sum() == 127
}

func main() {
	wait := flag.Bool("wait", false, "print ready and wait for a byte on stdin")
	hold := flag.Bool("hold", false, "wait for EOF on stdin before the exit")
	seconds := flag.Int("seconds", 2, "how long to work")
	flag.Parse()
	if *wait {
		fmt.Println("ready")
		os.Stdin.Read(make([]byte, 1))
	}
	end := time.Now().Add(time.Duration(*seconds) * time.Second)
	var wrong uint64
	var group sync.WaitGroup
	for worker := 0; worker < 4; worker++ {
		group.Add(1)
		go func(worker int) {
			defer group.Done()
			for i := 0; time.Now().Before(end); i++ {
				result := make(chan bool)
				go func() { result <- round(i + worker) }() // a new goroutine has a small stack
				if !<-result {
					atomic.AddUint64(&wrong, 1)
				}
				time.Sleep(100 * time.Millisecond)
			}
		}(worker)
	}
	go func() {
		for {
			runtime.GC()
			time.Sleep(time.Millisecond)
		}
	}()
	group.Wait()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	fmt.Println("calls main.grow", growCalls)
	fmt.Println("calls main.allocate", allocateCalls)
	fmt.Println("calls main.round", roundCalls)
	fmt.Println("collections all", memory.NumGC)
	fmt.Println("wrong all", wrong)
	fmt.Println("done")
	if *hold {
		io.Copy(io.Discard, os.Stdin)
	}
}
