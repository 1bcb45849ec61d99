package codec

import "testing"

func TestNotifyAllocatesNothing(t *testing.T) {
	frame := browserNotify()
	reqs := make([]Request, 0, 1)
	out := make([]byte, 0, 64)
	headers := 0
	allocs := testing.AllocsPerRun(100, func() {
		f, err := ParseFrame(frame[LenSize:])
		if err != nil {
			t.Fatal(err)
		}
		out = AppendAck(out[:0], f.StreamID, f.FrameID)
		reqs, _, err = AppendRequests(reqs[:0], f.Payload)
		if err != nil || len(reqs) != 1 {
			t.Fatal(reqs, err)
		}
		if _, _, err = ParseTarget(reqs[0].Method, reqs[0].Target); err != nil {
			t.Fatal(err)
		}
		headers = 0
		for it := reqs[0].Headers.Iter(); it.Next(); {
			headers++
		}
	})
	if allocs != 0 || headers != 8 {
		t.Errorf("a NOTIFY with %d headers costs %v allocations, want 8 and none", headers, allocs)
	}
}
