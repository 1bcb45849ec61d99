package fanout

import "testing"

func TestPayloadRefs(t *testing.T) {
	const size = 700
	p := new(localFree).acquire(new(payloads), size)
	p.refs.Store(3)
	if a, b, c := p.unref(), p.unref(), p.unref(); a || b || !c {
		t.Errorf("three references given back: the last one was %v, %v, %v", a, b, c)
	}
	defer func() {
		if recover() == nil {
			t.Error("one release too many did not panic")
		}
	}()
	p.unref()
}
