package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// sessionTime is for how long a member of a group may be silent before others take
	// its partitions.
	sessionTime = 10 * time.Second
	// letGoTime is how long a partition is kept that another member is to have, for what
	// was submitted to be finished.
	letGoTime = 25 * time.Second
	// groupEvery is how often it is looked whether the others are at the end.
	groupEvery = time.Second
)

func (r *Reader) groupOptions() []kgo.Opt {
	start := kgo.NewOffset().AtStart()
	if !r.cfg.From.IsZero() {
		start = kgo.NewOffset().AfterMilli(r.cfg.From.UnixMilli())
	}
	return []kgo.Opt{
		kgo.ConsumerGroup(r.cfg.Group), kgo.ConsumeTopics(r.cfg.Topic), kgo.ConsumeStartOffset(start),
		kgo.DisableAutoCommit(), kgo.SessionTimeout(sessionTime), kgo.HeartbeatInterval(sessionTime / 5), kgo.RebalanceTimeout(2 * letGoTime),
		kgo.OnPartitionsAssigned(func(ctx context.Context, _ *kgo.Client, got map[string][]int32) { r.take(ctx, got[r.cfg.Topic]) }),
		kgo.OnPartitionsRevoked(func(ctx context.Context, _ *kgo.Client, lost map[string][]int32) { r.letGo(ctx, lost[r.cfg.Topic]) }),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, lost map[string][]int32) { r.forget(lost[r.cfg.Topic]) }),
	}
}

// take begins with partitions where the group has come to.
func (r *Reader) take(ctx context.Context, ids []int32) {
	offsets, err := r.groupOffsets(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		p := &partition{next: r.begins[id]}
		if at, known := offsets[id]; err == nil && known {
			p.next = at
		}
		r.mine[id] = p
		delete(r.submitted, id)
		delete(r.committed, id)
	}
}

// groupOffsets returns what the group has committed. It waits for the coordinator of the
// group, which a cluster names when the first one asks for it, or anew after a failure.
func (r *Reader) groupOffsets(ctx context.Context) (map[int32]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	fetched, err := r.askOffsets(ctx)
	for kerr.IsRetriable(err) && ctx.Err() == nil && !r.closing.Load() {
		time.Sleep(pollTime)
		fetched, err = r.askOffsets(ctx)
	}
	if errors.Is(err, kerr.GroupIDNotFound) { // it has committed nothing yet
		return nil, nil
	}
	offsets := map[int32]int64{}
	fetched.Each(func(o kadm.OffsetResponse) {
		if o.At >= 0 {
			offsets[o.Partition] = o.At
		}
	})
	return offsets, err
}

func (r *Reader) askOffsets(ctx context.Context) (kadm.OffsetResponses, error) {
	fetched, err := r.admin.FetchOffsetsForTopics(ctx, r.cfg.Group, r.cfg.Topic)
	if err == nil {
		err = fetched.Error()
	}
	return fetched, err
}

// letGo gives partitions to another member: what of them was submitted is finished
// first, and committed, so that it is not sent twice.
func (r *Reader) letGo(ctx context.Context, ids []int32) {
	deadline := time.Now().Add(letGoTime)
	r.forget(ids)
	wait := func(done func() bool) bool {
		for !done() {
			if time.Now().After(deadline) || ctx.Err() != nil || r.closing.Load() {
				return false
			}
			time.Sleep(pollTime / 20)
		}
		return true
	}
	if !wait(func() bool { r.mu.Lock(); defer r.mu.Unlock(); return len(r.out) == 0 }) || !wait(r.cfg.Mark()) {
		return
	}
	r.mu.Lock()
	offsets := map[int32]int64{}
	for _, id := range ids {
		if at, ok := r.submitted[id]; ok {
			offsets[id] = at
		}
	}
	r.mu.Unlock()
	_ = r.commit(ctx, offsets) // else the other member sends it again
}

// forget drops what is buffered of partitions.
func (r *Reader) forget(ids []int32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		delete(r.mine, id)
	}
}

// Tend commits offsets behind what is finished. Whoever calls Next should call it now
// and then, when that takes long.
func (r *Reader) Tend() {
	if r.cfg.Group == "" {
		return
	}
	if r.mark == nil {
		r.mu.Lock()
		behind := !r.settled()
		if behind {
			r.marked = maps.Clone(r.submitted)
		}
		r.mu.Unlock()
		if !behind {
			return
		}
		r.mark = r.cfg.Mark()
	}
	if r.mark() {
		r.mark = nil
		_ = r.commit(context.Background(), r.ours(r.marked)) // else again, with more
	}
}

// ours returns those of the offsets whose partitions this Reader has: others have gone
// on with the rest.
func (r *Reader) ours(offsets map[int32]int64) map[int32]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	some := map[int32]int64{}
	for id := range r.mine {
		if at, ok := offsets[id]; ok {
			some[id] = at
		}
	}
	return some
}

// settled reports whether all that was submitted is committed. r.mu is held.
func (r *Reader) settled() bool {
	for id := range r.mine {
		if r.submitted[id] != r.committed[id] {
			return false
		}
	}
	return true
}

// commit commits offsets.
func (r *Reader) commit(ctx context.Context, offsets map[int32]int64) error {
	if len(offsets) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	toCommit := map[int32]kgo.EpochOffset{}
	for id, at := range offsets {
		toCommit[id] = kgo.EpochOffset{Epoch: -1, Offset: at}
	}
	var failed error
	r.client.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{r.cfg.Topic: toCommit},
		func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
			failed = err
			if err == nil {
				failed = commitError(resp)
			}
		})
	if failed != nil {
		return fmt.Errorf("cannot commit offsets: %w", failed)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.Copy(r.committed, offsets)
	return nil
}

func commitError(resp *kmsg.OffsetCommitResponse) error {
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return err
			}
		}
	}
	return nil
}

// Finish commits all that was returned: the caller knows that it is finished.
func (r *Reader) Finish() error {
	if r.cfg.Group == "" {
		return nil
	}
	r.mu.Lock()
	offsets := maps.Clone(r.submitted)
	r.mu.Unlock()
	return r.commit(context.Background(), r.ours(offsets))
}

// isOver reports whether the whole topic was read: by a group, and finished there.
func (r *Reader) isOver() (bool, error) {
	if r.cfg.Group == "" {
		return true, nil
	}
	r.mu.Lock()
	settled := r.settled()
	r.mu.Unlock()
	if !settled || time.Since(r.checked) < groupEvery {
		return false, nil
	}
	r.checked = time.Now()
	offsets, err := r.groupOffsets(context.Background())
	if err != nil {
		return false, fmt.Errorf("cannot ask how far group %s is: %w", r.cfg.Group, err)
	}
	for id, end := range r.ends {
		at, known := offsets[id]
		if !known {
			at = r.begins[id]
		}
		if at < end && r.begins[id] < end {
			return false, nil
		}
	}
	return true, nil
}
