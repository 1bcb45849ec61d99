package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"github.com/mirrorgate/mirrorgate/fanout/record"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/twmb/franz-go/pkg/kfake.(*Cluster).listen"))
}

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// topicOf makes a topic of three partitions with n records, a second apart, each of
// which goes to the partition of its number; then it has others that were not there
// when it was opened.
func topicOf(t *testing.T, n int) Address {
	t.Helper()
	_, a := clusterOf(t, n)
	return a
}

func clusterOf(t *testing.T, n int) (*kfake.Cluster, Address) {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "peak"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	a := Address{Brokers: c.ListenAddrs(), Topic: "peak"}
	produce(t, a, 0, n)
	return c, a
}

func produce(t *testing.T, a Address, from, to int) {
	t.Helper()
	client, err := kgo.NewClient(append(a.Options(&Login{}), kgo.DefaultProduceTopic(a.Topic), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for i := from; i < to; i++ {
		var r Record
		r.Set(&record.Record{Time: noon.Add(time.Duration(i)*time.Second + 5*time.Microsecond).UnixNano(), Status: 404, Took: i, Wire: fmt.Appendf(nil, "GET /%d ", i)})
		r.Partition = int32(i % 3)
		client.Produce(context.Background(), &r.Record, nil)
	}
	if err := client.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// readAll returns the numbers of the records up to the end.
func readAll(t *testing.T, r *Reader, each func(i int)) (all []int) {
	for {
		records, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Error(err)
			return all
		}
		for _, q := range records {
			i := -1
			fmt.Sscanf(string(q.Wire), "GET /%d ", &i)
			if q.Status != 404 || q.Took != i || q.Time%int64(time.Millisecond) != 5000 {
				t.Errorf("record %+v", q)
			}
			all = append(all, i)
			each(i)
		}
	}
}

func numbers(from, to int) (all []int) {
	for i := from; i < to; i++ {
		all = append(all, i)
	}
	return all
}

// A Reader gives what there was, in the order of the times across the partitions.
func TestRead(t *testing.T) {
	a := topicOf(t, 1000)
	f := func(from, to time.Time, want []int) {
		t.Helper()
		r, err := Open(Config{Address: a, From: from, To: to})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if got := readAll(t, r, func(int) {}); !slices.Equal(got, want) {
			t.Errorf("from %v to %v: %d records, want %d: %v", from, to, len(got), len(want), got)
		}
		if read, all := r.Progress(); read != all {
			t.Errorf("%d of %d are read", read, all)
		}
	}
	at := func(i int) time.Time { return noon.Add(time.Duration(i) * time.Second) }
	f(time.Time{}, time.Time{}, numbers(0, 1000))
	f(at(10), at(20), numbers(10, 20))
	f(at(990), time.Time{}, numbers(990, 1000))
	f(time.Time{}, at(1), numbers(0, 1))
	f(at(2000), time.Time{}, nil)
	f(time.Time{}, at(-1), nil)

	r, err := Open(Config{Address: a})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	produce(t, a, 1000, 1100)
	if got := readAll(t, r, func(int) {}); len(got) != 1000 {
		t.Errorf("%d records, of which 1000 were there at the start", len(got))
	}
}

func TestNoTopic(t *testing.T) {
	a := topicOf(t, 1)
	a.Topic = "other"
	if r, err := Open(Config{Address: a}); err == nil {
		r.Close()
		t.Error("a topic that does not exist is read")
	}
}

// finished is a Mark for what is finished at once.
func finished() func() bool { return func() bool { return true } }

// Members of a group share the records; what one leaves the other reads, behind what was
// committed.
func TestGroup(t *testing.T) {
	const n = 3000
	a := topicOf(t, n)
	open := func() *Reader {
		t.Helper()
		r, err := Open(Config{Address: a, Group: "try", Mark: finished})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	first := open()
	seen := map[int]int{}
	for len(seen) < 100 { // then it is gone
		records, err := first.Next()
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range records {
			seen[q.Took]++
		}
	}
	if err := first.Finish(); err != nil {
		t.Fatal(err)
	}
	first.Close()

	var mu sync.Mutex
	var reading sync.WaitGroup
	for range 2 {
		r := open()
		reading.Go(func() {
			defer r.Close()
			readAll(t, r, func(i int) {
				mu.Lock()
				defer mu.Unlock()
				seen[i]++
			})
		})
	}
	reading.Wait()
	twice := 0
	for i := range n {
		if seen[i] == 0 {
			t.Fatalf("record %d is missing", i)
		}
		if seen[i] > 1 {
			twice++
		}
	}
	if twice > 2*handed { // what the first one had got, but not said to be done
		t.Errorf("%d records came twice", twice)
	}
	again := open()
	defer again.Close()
	if got := readAll(t, again, func(int) {}); got != nil {
		t.Errorf("the group goes on with %d records", len(got))
	}
}

// A cluster that has yet to name the coordinator of the group is waited for.
func TestWaitsForTheCoordinator(t *testing.T) {
	const n = 30
	c, a := clusterOf(t, n)
	var asked atomic.Int32
	c.ControlKey(int16(kmsg.FindCoordinator), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if asked.Add(1) > 8 {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.FindCoordinatorResponse)
		resp.ErrorCode = kerr.CoordinatorNotAvailable.Code
		for _, key := range req.(*kmsg.FindCoordinatorRequest).CoordinatorKeys {
			none := kmsg.NewFindCoordinatorResponseCoordinator()
			none.Key, none.ErrorCode = key, kerr.CoordinatorNotAvailable.Code
			resp.Coordinators = append(resp.Coordinators, none)
		}
		return resp, nil, true
	})
	r, err := Open(Config{Address: a, Group: "try", Mark: func() func() bool { return func() bool { return true } }})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got := readAll(t, r, func(int) {}); len(got) != n || asked.Load() <= 8 {
		t.Errorf("%d of %d records, %d questions", len(got), n, asked.Load())
	}
}

// Nothing is committed that is not finished.
func TestCommitsBehindWhatIsFinished(t *testing.T) {
	a := topicOf(t, 300)
	r, err := Open(Config{Address: a, Group: "try", Mark: func() func() bool { return func() bool { return false } }})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
	offsets, err := r.groupOffsets(context.Background())
	if err != nil || len(offsets) > 0 {
		t.Errorf("committed %v, %v", offsets, err)
	}
	r.Close()
}
