package options

import "testing"

func TestByteSize(t *testing.T) {
	f := func(text string, want int64) {
		t.Helper()
		var s ByteSize
		if err := s.UnmarshalText([]byte(text)); err != nil || int64(s) != want {
			t.Errorf("%q is %d, %v, want %d", text, s, err, want)
		}
	}
	f("1", 1)
	f("1024B", 1024)
	f("512b", 512)
	for _, text := range []string{"64k", "64K", "64kB", "64KB", "64KiB", "64 KB", "64kib"} {
		f(text, 64<<10)
	}
	for _, text := range []string{"512m", "512M", "512MB", "512 MiB"} {
		f(text, 512<<20)
	}
	f("1.5GiB", 3<<29)
	f(".5g", 1<<29)
	f("2T", 2<<40)
}

func TestByteSizeRejects(t *testing.T) {
	for _, text := range []string{"", "0", "0.5", "-1", "MiB", "1PB", "1e30", "NaN", "Inf", "1 2", "99999999TiB", "1iB", "1  K", "1.", "1K2", "0x10"} {
		var s ByteSize
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is %d, want an error", text, s)
		}
	}
}

func TestByteSizeString(t *testing.T) {
	f := func(size ByteSize, want string) {
		t.Helper()
		if got := size.String(); got != want {
			t.Errorf("%d is written %s, want %s", int64(size), got, want)
		}
	}
	f(1, "1")
	f(1023, "1023")
	f(1024, "1KiB")
	f(3<<29, "1536MiB")
	f(2<<30, "2GiB")
	f(5<<40, "5TiB")
}

// A number without its unit is most likely meant for mebibytes.
func TestMemory(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		var m Memory
		if got := errorText(m.UnmarshalText([]byte(text))); got != want {
			t.Errorf("%q is %v: %s, want %s", text, m, got, want)
		}
	}
	f("1M", "")
	f("1073741824", "")
	f("512", `"512" is 512 bytes, should be at least 1MiB: did you mean 512MiB?`)
	f("512K", `"512K" is 524288 bytes, should be at least 1MiB`)
	f("512B", `"512B" is 512 bytes, should be at least 1MiB`)
	f("many", `"many" should be a size like 64K, 512MiB or 1.5G`)
}
