package main

import (
	"os"
	"runtime/debug"
)

// besidesPayload is what Go's heap, stacks and garbage may take besides the
// payloads, in bytes. With the program itself it stays below the 64 MiB that
// README promises.
const besidesPayload = 48 << 20

// limitMemory keeps garbage from doubling what the payloads need: near the limit
// Go collects earlier. GOMEMLIMIT, if it is set, says better what there is.
func limitMemory(payload int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(payload + besidesPayload)
	}
}
