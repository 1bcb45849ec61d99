package fanout

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// playFaulty plays a target with everything that can be wrong with one. It
// answers several requests at once when they came together, and has processed
// what it has read.
func playFaulty(c *rawConn) {
	random := rand.New(rand.NewPCG(uint64(c.number), 1))
	pending := ""
	for c.next() != "" {
		switch random.IntN(100) {
		case 0: // no answer to any of those that came together
			return
		case 1:
			c.send(pending, "garbage\r\n\r\n")
			return
		case 2:
			c.send(pending, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
			return
		case 3, 4, 5:
			c.send(pending, okClose)
			return
		case 6: // an answer too many
			c.send(pending, ok, ok)
			c.waitEnd()
			return
		case 7:
			c.send(pending, "HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n")
			c.waitEnd()
			return
		case 8:
			if random.IntN(10) == 0 { // hangs
				c.waitEnd()
				return
			}
			pending += "HTTP/1.1 503 Unavailable\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
		default:
			pending += "HTTP/1.1 204 No Content\r\n\r\n"
		}
		if c.in.Buffered() == 0 {
			c.send(pending)
			pending = ""
		}
	}
}

// Four event loops, groups with weights, samples and filters, targets that are
// well, faulty, unreachable: the sums are exact, and nothing is processed twice
// that must not be.
func TestEverythingAtOnce(t *testing.T) {
	const loops, each = 4, 5000
	well := listen(t, func(c *rawConn) { c.serve(ok) })
	picky := listen(t, func(c *rawConn) { c.serve(okClose) })
	faulty := listen(t, playFaulty)
	f := newFanout(t, nil,
		"well="+well.url+",queue=100000,conns=8,max-age=5m,timeout=1m",
		"heavy="+well.url+"/heavy,group=g,weight=3,sample=50%,queue=100000",
		"light="+faulty.url+"/light,group=g,weight=1,sample=50%,queue=100000,timeout=200ms",
		"faulty="+faulty.url+"/faulty,queue=256,drop=oldest,conns=4,timeout=200ms",
		"picky="+picky.url+",methods=GET,sample=5%,conns=2,batch=4,queue=64",
		"down="+nobody+",conns=2",
		"slow="+well.url+"/slow,rate=500/s,conns=1,batch=1,queue=4",
		"singles="+well.url+"/singles,batch=1,conns=40,queue=100000,timeout=1m",
		"faulty-singles="+faulty.url+"/faulty-singles,batch=1,conns=40,timeout=200ms",
		"nothing="+well.url+"/nothing,sample=0",
	)
	bad := []codec.Request{request("GE T", "/", ""), request("CONNECT", "h:1", ""), {Reject: codec.RejectAborted}}
	var submitting sync.WaitGroup
	for loop := range loops {
		submitting.Go(func() {
			random := rand.New(rand.NewPCG(uint64(loop), 2))
			for i := 0; i < each; {
				var batch []codec.Request
				for n := 1 + random.IntN(20); n > 0 && i < each; n-- {
					id := fmt.Sprintf("/%d-%d", loop, i)
					switch i++; random.IntN(10) {
					case 0:
						batch = append(batch, bad[i%len(bad)])
					case 1, 2, 3, 4:
						batch = append(batch, request("POST", id, strings.Repeat("b", random.IntN(3000)), "host", "h"))
					default:
						batch = append(batch, request("GET", id, "", "host", "h"))
					}
				}
				f.Submit(batch)
			}
		})
	}
	submitting.Wait()
	drain(t, f)

	if n := f.metrics.received.Get(); n != loops*each {
		t.Errorf("received %d, want %d", n, loops*each)
	}
	for _, tg := range f.targets {
		t.Logf("%s: %s", tg.cfg.Name, counts(tg))
	}
	var rejected uint64
	for _, r := range codec.Rejects {
		rejected += f.metrics.rejected[r].Get()
	}
	all := loops*each - int(rejected)
	if got, want := counts(f.targets[0]), fmt.Sprintf("selected=%d sent=%d 2xx=%d", all, all, all); got != want {
		t.Errorf("well: %s, want %s", got, want)
	}
	heavy, light := int(f.targets[1].metrics.selected.Get()), int(f.targets[2].metrics.selected.Get())
	near(t, "sample of the group", heavy+light, all, .5, 3)
	near(t, "heavy of the group", heavy, heavy+light, .75, 3)
	if got := counts(f.targets[9]); got != "" {
		t.Errorf("nothing: %s", got)
	}

	seenTimes := func(rt *rawTarget) map[string]int {
		times := map[string]int{}
		for _, seen := range rt.requests() {
			method, path, _ := strings.Cut(seen, " ")
			path, _, _ = strings.Cut(path, " ")
			times[method+" "+path]++
		}
		return times
	}
	for seen, times := range seenTimes(well) {
		if times != 1 {
			t.Errorf("the target that is well saw %s %d times", seen, times)
		}
	}
	resent := 0
	for seen, times := range seenTimes(faulty) {
		if strings.HasPrefix(seen, "POST") && times > 1 {
			t.Errorf("the faulty target saw %s %d times", seen, times)
		}
		if times > 2 {
			t.Errorf("the faulty target saw %s %d times", seen, times)
		}
		if times == 2 {
			resent++
		}
	}
	if resent == 0 {
		t.Error("nothing was sent again: the test shows nothing")
	}
}
