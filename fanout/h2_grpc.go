package fanout

import (
	"fmt"
	"strconv"

	"github.com/VictoriaMetrics/metrics"

	"github.com/mirrorgate/mirrorgate/fanout/internal/http2"
)

// grpcCodes is how many codes gRPC has.
const grpcCodes = 17

// grpcMetrics counts the responses to requests of gRPC by grpc-status.
type grpcMetrics struct {
	codes [grpcCodes]*metrics.Counter
	other *metrics.Counter // no code of gRPC
	none  *metrics.Counter // the response ended, or was given up, without one
}

func newGRPCMetrics(set *metrics.Set, target string) *grpcMetrics {
	counter := func(code string) *metrics.Counter {
		return set.GetOrCreateCounter(fmt.Sprintf("mirrorgate_target_grpc_total{target=%q,code=%q}", target, code))
	}
	m := &grpcMetrics{other: counter("other"), none: counter("none")}
	for code := range m.codes {
		m.codes[code] = counter(strconv.Itoa(code))
	}
	return m
}

// of returns the counter of a grpc-status.
func (m *grpcMetrics) of(status int16) *metrics.Counter {
	switch {
	case status == http2.NoGRPCStatus:
		return m.none
	case status < 0 || int(status) >= grpcCodes:
		return m.other
	}
	return m.codes[status]
}

// grpcOutcome returns the status code that a response of gRPC counts as. Its own
// says nothing but that gRPC was spoken; where grpc-status says that the server
// failed, it is that of google.rpc.Code.
func grpcOutcome(code int, status int16) int {
	const (
		unknown          = 2
		deadlineExceeded = 4
		unimplemented    = 12
		internal         = 13
		unavailable      = 14
		dataLoss         = 15
	)
	if code != 200 {
		return code
	}
	switch status {
	case unknown, internal, dataLoss:
		return 500
	case unimplemented:
		return 501
	case unavailable:
		return 503
	case deadlineExceeded:
		return 504
	}
	return code
}
