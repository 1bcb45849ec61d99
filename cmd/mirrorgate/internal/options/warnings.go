package options

import (
	"fmt"
	"os"
)

// Warnings returns what an operator should mend although mirrorgate can work: each a
// sentence that names the option.
func (o *Options) Warnings() []string {
	return o.warnings(memoryLimit("/"))
}

func (o *Options) warnings(limit int64) (all []string) {
	add := func(text string) {
		if text != "" {
			all = append(all, text)
		}
	}
	add(exposed(configOption, o.Config, false))
	add(exposed("admin-token-file", o.AdminTokenFile, true))
	add(exposed("tls-key", o.TLSKey, true))
	add(exposed("mask-key-file", o.MaskKeyFile, true))
	add(exposed("kafka-password-file", o.KafkaPasswordFile, true))
	if least := leastMemory(int64(o.Memory)); limit > 0 && least > limit {
		add(fmt.Sprintf("--memory %v takes %v with all that belongs to it, but this service may have %v: lower it, or raise the limit (MemoryMax= in its unit, which config systemd prints)",
			o.Memory, ByteSize(least), ByteSize(limit)))
	}
	return all
}

// exposed says what everybody on this host may do to a file that they should not.
func exposed(option, file string, secret bool) string {
	info, err := os.Stat(file)
	if err != nil || !info.Mode().IsRegular() {
		return ""
	}
	can, mend := "", ""
	switch mode := info.Mode(); {
	case secret && mode&0o006 != 0:
		can, mend = "read or change this secret", "o="
	case mode&0o002 != 0:
		can, mend = "change this file", "o-w"
	default:
		return ""
	}
	return fmt.Sprintf("--%s %s: everybody on this host may %s: chmod %s %s", option, file, can, mend, file)
}
