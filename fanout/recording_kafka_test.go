package fanout

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/mirrorgate/mirrorgate/codec"
)

// fakeKafka is a cluster in this process, with a topic of three partitions.
func fakeKafka(t testing.TB, opts ...kfake.Opt) (c *kfake.Cluster, url string) {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(3, "peak")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, "kafka://" + strings.Join(c.ListenAddrs(), ",") + "/peak"
}

// topicRecords returns n records of the topic.
func topicRecords(t testing.TB, c *kfake.Cluster, n int) (all []*kgo.Record) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.ConsumeTopics("peak"), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for len(all) < n {
		fetched := client.PollFetches(ctx)
		if err := fetched.Err0(); err != nil {
			t.Fatalf("%d of %d records: %v", len(all), n, err)
		}
		all = append(all, fetched.Records()...)
	}
	return all
}

// A topic gets what a file gets: the same bytes, headers and keys; those of one key in
// one partition, in their order.
func TestRecordToKafka(t *testing.T) {
	c, url := fakeKafka(t)
	f := newFanout(t, func(cfg *Config) { cfg.SampleBy, _ = ParseSampleKey("cookie:u") }, "log="+url)
	const n = 1000
	for i := 0; i < n; i += 10 {
		var batch []codec.Request
		for j := i; j < i+10; j++ {
			r := request("POST", fmt.Sprintf("/%d", j), "body", "host", "h", "cookie", fmt.Sprintf("u=%d", j%7))
			r.Production = codec.ProductionResponse{Status: 201, Timed: true, Milliseconds: 3}
			batch = append(batch, r)
		}
		f.Submit(batch)
	}
	drain(t, f)
	if got := counts(f.targets[0]); got != "selected=1000 sent=1000 recorded=1000" {
		t.Error(got)
	}
	if held := f.memory.blocks.Load(); held != 0 {
		t.Errorf("%d bytes are held", held)
	}
	partitions, last := map[string]int32{}, map[string]int{}
	for _, r := range topicRecords(t, c, n) {
		i := -1
		fmt.Sscanf(string(r.Value), "POST /%d ", &i)
		want := fmt.Sprintf("POST /%d HTTP/1.1\r\nhost: h\r\ncookie: u=%d\r\ncontent-length: 4\r\n\r\nbody", i, i%7)
		if string(r.Value) != want {
			t.Fatalf("recorded %q, want %q", r.Value, want)
		}
		key := string(r.Key)
		if p, known := partitions[key]; known && p != r.Partition || len(key) != 16 || i < last[key] {
			t.Fatalf("request %d of %s is in partition %d, behind %d of %d", i, key, r.Partition, last[key], p)
		}
		partitions[key], last[key] = r.Partition, i
		var headers []string
		for _, h := range r.Headers[1:] {
			headers = append(headers, h.Key+"="+string(h.Value))
		}
		if !slices.Equal(headers, []string{"status=201", "ms=3"}) || r.Headers[0].Key != "us" {
			t.Fatalf("headers %q", headers)
		}
	}
	if len(partitions) != 7 {
		t.Errorf("%d keys", len(partitions))
	}
}

// A broker that is away costs named drops, bounded memory, and nothing else; what it
// refuses is dropped, and it goes on by itself.
func TestRecordWithoutBroker(t *testing.T) {
	rt := listen(t, func(c *rawConn) { c.serve(ok) })
	f := newFanout(t, nil, "log=kafka://127.0.0.1:1/peak,max-age=1s,queue=100", rt.url)
	f.Submit(requests("GET /1", "GET /2"))
	log := f.targets[0]
	eventually(t, "the drops", func() bool { return log.metrics.dropped[dropBroker].Get() == 2 })
	if last := log.failures.get(); last.Kind != "broker" {
		t.Errorf("last failure %+v", last)
	}
	drain(t, f)
	if got := counts(f.targets[1]); got != "selected=2 sent=2 2xx=2" {
		t.Errorf("the other target: %s", got)
	}
}

// When the drain's time is over, what was not sent to a broker is dropped.
func TestRecordToKafkaDrainEnds(t *testing.T) {
	f := newFanout(t, nil, "log=kafka://127.0.0.1:1/peak")
	f.Submit(requests("GET /1", "GET /2"))
	eventually(t, "the client to have them", func() bool { return f.targets[0].length.Load() == 0 })
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	f.Drain(ctx)
	checkSums(t, f)
	if got := counts(f.targets[0]); got != "selected=2 dropped{shutdown}=2" {
		t.Error(got)
	}
}

func TestRecordToKafkaLogsIn(t *testing.T) {
	c, url := fakeKafka(t, kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "mirror", "secret"))
	_ = c
	f := newFanout(t, func(cfg *Config) {
		cfg.Kafka.Mechanism, cfg.Kafka.User, cfg.Kafka.Password = "SCRAM-SHA-256", "mirror", "secret"
	}, "log="+url)
	f.Submit(requests("GET /1"))
	drain(t, f)
	if got := counts(f.targets[0]); got != "selected=1 sent=1 recorded=1" {
		t.Error(got)
	}
}

func TestKafkaOptions(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		c, err := ParseTarget(text, DefaultTarget(), 1)
		if err == nil {
			err = c.validate()
		}
		if got := fmt.Sprint(err); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %q", text, got, want)
		}
	}
	f("kafka://b1:9092,b2:9092/t,sample=10%", "<nil>")
	f("log=kafka://b1:9092,b2:9093,b3:9094/t", "<nil>")
	f("log=kafka://[::1]:9092/t", "<nil>")
	f("kafka://b1/t", "<nil>")
	f("kafka://b1:9092", "like kafka://b1:9092,b2:9092/topic")
	f("kafka://b1:9092,b2:9092/", "like kafka://b1:9092,b2:9092/topic")
	f("kafka://b1:9092/a/b", "like kafka://b1:9092,b2:9092/topic")
	f("kafka://u:p@b1:9092/a", "like kafka://b1:9092,b2:9092/topic")
	f("kafka://b1:9092,,b2:9/a", "like kafka://b1:9092,b2:9092/topic")
	f("kafka://b1:9092/a,max=1GiB", "max, age and sync are for recordings in files")
	login := func(want string, edit func(*Config)) {
		t.Helper()
		cfg := Config{Memory: 1, Targets: parseTargets(t, []string{"kafka://b/t"})}
		edit(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	login("--kafka-sasl is missing", func(c *Config) { c.Kafka.User = "u" })
	login(`--kafka-sasl is "X", should be one of PLAIN`, func(c *Config) { c.Kafka.Mechanism = "X" })
	login("--kafka-user is missing", func(c *Config) { c.Kafka.Mechanism = "PLAIN" })
	login("--kafka-password-file is missing", func(c *Config) { c.Kafka.Mechanism, c.Kafka.User = "PLAIN", "u" })
}
