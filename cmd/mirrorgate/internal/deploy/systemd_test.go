package deploy

import "testing"

func TestUnitWord(t *testing.T) {
	f := func(path, want string) {
		t.Helper()
		if got := unitWord(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	f("/usr/local/bin/mirrorgate", "/usr/local/bin/mirrorgate")
	f("/opt/my tools/mirrorgate", `"/opt/my tools/mirrorgate"`)
	f("/opt/100%/$HOME/mirrorgate", "/opt/100%%/$$HOME/mirrorgate")
	f(`/opt/a"b\c`, `/opt/a\"b\\c`)
}
