// A handler that asks an API many times at once, and waits for all: a fan-out. It closes bodies without reading them, and leaves the pool
// of connections at its default of two for each host; either costs a port for nearly every request.
// DRAIN=1 reads the bodies, IDLE_PER_HOST=20 is a pool that is large enough.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
)

func number(name string, usual int) int {
	if value, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return value
	}
	return usual
}

func main() {
	url := os.Getenv("API")
	if url == "" {
		url = "http://api.example/orders"
	}
	requests, atOnce := number("REQUESTS", 200), number("AT_ONCE", 20)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if idle := number("IDLE_PER_HOST", 0); idle > 0 {
		transport.MaxIdleConnsPerHost = idle
	}
	client := &http.Client{Transport: transport}
	drain := number("DRAIN", 0) == 1

	var mutex sync.Mutex
	failures := 0
	last := ""
	for done := 0; done < requests; done += atOnce {
		var all sync.WaitGroup
		for i := 0; i < atOnce; i++ {
			all.Add(1)
			go func() {
				defer all.Done()
				answer, err := client.Get(url)
				if err != nil {
					mutex.Lock()
					failures++
					last = err.Error()
					mutex.Unlock()
					return
				}
				if drain {
					io.Copy(io.Discard, answer.Body)
				}
				answer.Body.Close()
			}()
		}
		all.Wait()
	}
	fmt.Printf("%d requests, %d failures %s\n", requests, failures, last)
	if failures > 0 {
		os.Exit(1)
	}
}
