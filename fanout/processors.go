package fanout

// processors bounds how many goroutines that send and receive are ready to run: as
// many as there are cores. Go runs what is ready in the order in which it became
// so: without a bound an event loop with ACKs to write would stand behind hundreds
// of responses that came at once.
type processors chan struct{}

func newProcessors() processors { return make(processors, cores) }

// acquire waits for a place. No lock is held meanwhile.
func (p processors) acquire() { p <- struct{}{} }

// release gives it back, before the goroutine waits for something.
func (p processors) release() { <-p }
