package options

import (
	"crypto/sha256"
	"fmt"
	"os"
)

// minMaskKey is how short a key may be, in bytes, before it is a mistake.
const minMaskKey = 16

// readMaskKey returns the key that a file stands for; no file is no key.
func readMaskKey(file string) (key [32]byte, err error) {
	if file == "" {
		return key, nil
	}
	content, err := os.ReadFile(file)
	switch {
	case err != nil:
		return key, fmt.Errorf("--mask-key-file: cannot read key: %w", err)
	case len(content) < minMaskKey:
		return key, fmt.Errorf("--mask-key-file %s: the file should hold at least %d random bytes, as from: head -c 32 /dev/urandom", file, minMaskKey)
	}
	return sha256.Sum256(content), nil
}
