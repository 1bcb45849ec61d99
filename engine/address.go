package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"strings"
)

// address is one of Config.Listen, read.
type address struct {
	network, at string
	mode        fs.FileMode // of a unix socket; 0: what the umask leaves
	group       string      // that a unix socket is for; empty: that of the process
	gid         int
}

var (
	errAbstract = errors.New("an abstract socket (@) has no permissions, everybody on this host could connect: give a path, like unix:/run/mirrorgate/spop.sock")
	errMode     = errors.New("mode should be octal, like mode=660")
)

// parseAddress reads HOST:PORT, or unix:PATH[,mode=660][,group=haproxy].
func parseAddress(text string) (a address, err error) {
	rest, ok := strings.CutPrefix(text, "unix:")
	if !ok {
		return address{network: "tcp", at: text}, nil
	}
	path, rest, more := strings.Cut(rest, ",")
	a = address{network: "unix", at: path}
	if strings.HasPrefix(path, "@") || strings.HasPrefix(path, "\x00") {
		return a, errAbstract
	}
	for more {
		var setting string
		setting, rest, more = strings.Cut(rest, ",")
		key, value, _ := strings.Cut(setting, "=")
		switch key {
		case "mode":
			mode, err := strconv.ParseUint(value, 8, 32)
			if err != nil || mode == 0 || mode > uint64(fs.ModePerm) {
				return a, errMode
			}
			a.mode = fs.FileMode(mode)
		case "group":
			if a.gid, err = groupID(value); err != nil {
				return a, err
			}
			a.group = value
		default:
			return a, fmt.Errorf("unknown key %q, should be mode or group, as in unix:PATH,mode=660,group=haproxy", key)
		}
	}
	return a, nil
}

func groupID(name string) (int, error) {
	if gid, err := strconv.ParseUint(name, 10, 31); err == nil {
		return int(gid), nil
	}
	group, err := user.LookupGroup(name)
	if err != nil {
		return 0, fmt.Errorf("there is no group %q on this host", name)
	}
	return strconv.Atoi(group.Gid)
}

// permit lets those connect to a socket that is bound whom the address names.
func (a *address) permit() error {
	if a.group != "" {
		if err := os.Chown(a.at, -1, a.gid); err != nil {
			return fmt.Errorf("cannot give the socket to group %s: %w; mirrorgate's user has to be in it (SupplementaryGroups= in a unit)", a.group, cause(err))
		}
	}
	if a.mode != 0 {
		if err := os.Chmod(a.at, a.mode); err != nil {
			return fmt.Errorf("cannot set the mode of the socket: %w", cause(err))
		}
	}
	return nil
}
