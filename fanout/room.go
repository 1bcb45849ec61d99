package fanout

// Fits reports whether every target has room for so many requests more, of so many
// bytes: whether Submit would drop none of them for want of it, if nobody else submits.
// It reports true as well if not even targets without any request had room: waiting
// would be in vain.
func (f *Fanout) Fits(requests int, bytes int64) bool {
	f.mu.Lock()
	targets := f.targets
	f.mu.Unlock()
	// A payload takes up to twice the bytes of a small request, and some for itself.
	cost := 2*bytes + int64(requests)*payloadCost(minBuffer)
	limit := f.memory.limit.Load()
	if held := f.memory.payloads.Load(); held > 0 && !f.memory.fits(cost) {
		return false
	}
	for _, t := range targets {
		if held := t.held.Load(); held > 0 && held+cost > limit/2 {
			return false
		}
		if queued := t.length.Load(); queued > 0 && queued+int64(requests) > int64(t.cfg.Queue) {
			return false
		}
	}
	return true
}
