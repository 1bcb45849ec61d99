package record

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// segment is a file of blocks.
type segment struct {
	base int64 // offset of its first record
	size int64 // bytes
}

const segmentSuffix = ".log"

func (s segment) name() string { return fmt.Sprintf("%020d%s", s.base, segmentSuffix) }

// listSegments returns the segments in a folder, the oldest first.
func listSegments(dir string) ([]segment, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []segment
	for _, e := range entries {
		digits, ok := strings.CutSuffix(e.Name(), segmentSuffix)
		base, err := strconv.ParseInt(digits, 10, 64)
		if !ok || err != nil || e.Name() != (segment{base: base}).name() {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) { // the ring has just taken it
			continue
		} else if err != nil {
			return nil, err
		}
		all = append(all, segment{base, info.Size()})
	}
	slices.SortFunc(all, func(a, b segment) int { return int(min(max(a.base-b.base, -1), 1)) })
	return all, nil
}

// ErrInUse says that something else writes into the folder.
var ErrInUse = errors.New("another mirrorgate writes into this folder")

// lockFolder takes the lock of the folder's writer, which the process's end frees.
func lockFolder(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, ErrInUse
		}
		return nil, &fs.PathError{Op: "lock", Path: f.Name(), Err: err}
	}
	return f, nil
}

// isWritten reports whether somebody writes into the folder now.
func isWritten(dir string) bool {
	f, err := os.Open(filepath.Join(dir, "lock"))
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB), unix.EWOULDBLOCK)
}

// blocks walks over the blocks of a segment.
type blocks struct {
	file io.ReaderAt
	at   int64 // of the next block
	end  int64 // of the segment
	buf  []byte
}

// head returns the head of the next block: io.EOF at the end, errShort if that is in
// the middle of one, errCorrupt for what is no block.
func (b *blocks) head() (h Head, err error) {
	if b.at >= b.end {
		return h, io.EOF
	}
	var raw [headSize]byte
	if b.end-b.at < headSize {
		return h, errShort
	}
	if _, err := b.file.ReadAt(raw[:], b.at); err != nil {
		return h, readError(err)
	}
	if h, err = parseHead(raw[:]); err == nil && int64(h.Size) > b.end-b.at {
		err = errShort
	}
	return h, err
}

// read returns the block of that head, which was the next one, and goes behind it. The
// bytes are those of b until the next call. errCorrupt says that the checksum is wrong.
func (b *blocks) read(h *Head) ([]byte, error) {
	if cap(b.buf) < h.Size {
		b.buf = make([]byte, h.Size)
	}
	block := b.buf[:h.Size]
	if _, err := b.file.ReadAt(block, b.at); err != nil {
		return nil, readError(err)
	}
	b.skip(h)
	return block, h.checkBlock(block)
}

func (b *blocks) skip(h *Head) { b.at += int64(h.Size) }

// readError takes a file that became shorter for one that ends there.
func readError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errShort
	}
	return err
}

// lastBlock returns where the last sound block of a segment ends, and the offset
// behind its records.
func lastBlock(file io.ReaderAt, s segment) (end, next int64, err error) {
	b := blocks{file: file, end: s.size}
	next = s.base
	for {
		h, err := b.head()
		var raw []byte
		if err == nil {
			raw, err = b.read(&h)
		}
		switch {
		case err == nil:
			end, next = b.at, h.Offset+int64(h.Count)
		case errors.Is(err, io.EOF) || errors.Is(err, errShort):
			return end, next, nil
		case errors.Is(err, errCorrupt) && raw == nil:
			return end, next, nil
		case !errors.Is(err, errCorrupt): // else what stands behind it may be sound
			return 0, 0, err
		}
	}
}
