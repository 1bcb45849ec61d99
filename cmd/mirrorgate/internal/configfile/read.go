package configfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// maxSize bounds what is read into memory, in bytes. No configuration, and no
// certificate, comes near it.
const maxSize = 1 << 20

var (
	errNotRegular = errors.New("is no regular file")
	errTooLarge   = errors.New("is larger than 1 MiB")
)

// ReadFile reads a regular file of at most 1 MiB. It waits for no writer, and no
// device, as opening a pipe would: a gateway that runs reads files again.
func ReadFile(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s %w", path, errNotRegular)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxSize {
		return nil, fmt.Errorf("%s %w", path, errTooLarge)
	}
	return text, nil
}
