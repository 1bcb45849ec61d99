package http1

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

// other is how another parser reads a response.
type other struct {
	code   int
	closes bool
	taken  int // bytes, all there are if it ends with the connection
}

// FuzzReaderAgrees checks that what net/http or fasthttp takes for a whole
// response is one here too, with the same code, the same end and the same
// consequence for the connection, but for the differences named below.
func FuzzReaderAgrees(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte, head bool, _, _ uint) {
		var r Reader
		r.Start(head)
		n, err := r.Read(b)
		if err != nil {
			return
		}
		got := other{r.Code(), r.Close(), n}
		if !r.Done() && !r.UntilClose() {
			got = other{} // is none that could be whole
		}
		has := func(all flags) bool { return r.flags&all == all }
		// Neither knows that Transfer-Encoding makes HTTP/1.0 faulty (RFC 9112 section 6.1).
		if has(http10 | hasCoding) {
			return
		}
		if want, err := readNetHTTP(b, head); err == nil {
			// It leaves to its caller what follows 101, and whether a length beside chunks is an attack.
			if r.Code() == 101 || has(hasCoding|hasLength) {
				want.closes = true
			}
			if got != want {
				t.Errorf("%q, HEAD %v: %+v, but net/http reads %+v", b, head, got, want)
			}
		}
		if want, err := readFastHTTP(b, head); err == nil {
			// It knows close as the only option and in small letters alone, and closes behind odd field names.
			want.closes = got.closes
			if got != want {
				t.Errorf("%q, HEAD %v: %+v, but fasthttp reads %+v", b, head, got, want)
			}
		}
	})
}

func readNetHTTP(b []byte, head bool) (other, error) {
	in := strings.NewReader(string(b))
	buffered := bufio.NewReader(in)
	request := &http.Request{Method: "GET"}
	if head {
		request.Method = "HEAD"
	}
	for {
		response, err := http.ReadResponse(buffered, request)
		if err != nil {
			return other{}, err
		}
		if response.StatusCode < 200 && response.StatusCode != 101 {
			continue
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			return other{}, err
		}
		return other{response.StatusCode, response.Close, len(b) - in.Len() - buffered.Buffered()}, nil
	}
}

func readFastHTTP(b []byte, head bool) (other, error) {
	in := strings.NewReader(string(b))
	buffered := bufio.NewReaderSize(in, MaxHead)
	var response fasthttp.Response
	response.SkipBody = head
	if err := response.ReadLimitBody(buffered, MaxHead); err != nil {
		return other{}, err
	}
	return other{response.StatusCode(), response.ConnectionClose(), len(b) - in.Len() - buffered.Buffered()}, nil
}
