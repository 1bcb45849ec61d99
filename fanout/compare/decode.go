package compare

import (
	"bytes"
	"compress/zlib"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	// MaxDecoded is the size in bytes up to which a body is decoded.
	MaxDecoded = 4 << 20
	// maxWindow is the size in bytes of the window that a zstd stream may ask for
	// (RFC 8878 section 3.1.1.1.2 recommends 8 MiB as what decoders should support).
	maxWindow = 8 << 20
	// keptBuffer is the size in bytes of the largest buffer that is used again.
	keptBuffer = 512 << 10
)

// decoder takes content codings off (RFC 9110 section 8.4). It is used again.
type decoder struct {
	out    []byte
	in     bytes.Reader
	gzip   *gzip.Reader
	flate  io.ReadCloser
	brotli *brotli.Reader
	zstd   *zstd.Decoder
}

// decode returns the body without its codings, which are a list as Content-Encoding
// has it. What it returns is borrowed until the next call. It reports false if a
// coding is unknown, or one of several, if the body is damaged, or larger than
// MaxDecoded.
func (d *decoder) decode(body, codings []byte) ([]byte, bool) {
	if len(codings) == 0 || bytes.EqualFold(codings, []byte("identity")) {
		return body, true
	}
	r := d.reader(body, codings)
	if r == nil {
		return nil, false
	}
	if cap(d.out) > keptBuffer {
		d.out = nil
	}
	var err error
	d.out, err = appendAll(d.out[:0], r)
	return d.out, err == nil && len(d.out) <= MaxDecoded
}

// reader returns nil if the body does not even start as the coding demands.
func (d *decoder) reader(body, coding []byte) io.Reader {
	d.in.Reset(body)
	is := func(s string) bool { return bytes.EqualFold(coding, []byte(s)) }
	switch {
	case is("gzip"), is("x-gzip"):
		if d.gzip == nil {
			d.gzip = new(gzip.Reader)
		}
		if d.gzip.Reset(&d.in) != nil {
			return nil
		}
		return d.gzip
	case is("deflate"):
		return d.deflate(body)
	case is("br"):
		if d.brotli == nil {
			d.brotli = brotli.NewReader(nil)
		}
		if d.brotli.Reset(&d.in) != nil {
			return nil
		}
		return d.brotli
	case is("zstd"):
		if d.zstd == nil {
			var err error
			d.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
				zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(MaxDecoded+1))
			if err != nil {
				panic("BUG: " + err.Error())
			}
		}
		if d.zstd.Reset(&d.in) != nil {
			return nil
		}
		return d.zstd
	}
	return nil
}

// deflate means zlib's format, but some servers leave out its head (RFC 9110
// section 8.4.1.2).
func (d *decoder) deflate(body []byte) io.Reader {
	if len(body) >= 2 && body[0]&15 == 8 && (int(body[0])<<8|int(body[1]))%31 == 0 {
		r, err := zlib.NewReader(&d.in)
		if err != nil {
			return nil
		}
		return r
	}
	if d.flate == nil {
		d.flate = flate.NewReader(&d.in)
		return d.flate
	}
	if d.flate.(flate.Resetter).Reset(&d.in, nil) != nil {
		return nil
	}
	return d.flate
}

// appendAll reads to the end, or until it is one byte too much.
func appendAll(dst []byte, r io.Reader) ([]byte, error) {
	for len(dst) <= MaxDecoded {
		if len(dst) == cap(dst) {
			dst = append(dst, 0)[:len(dst)]
		}
		n, err := r.Read(dst[len(dst):min(cap(dst), MaxDecoded+1)])
		dst = dst[:len(dst)+n]
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
	}
	return dst, nil
}
