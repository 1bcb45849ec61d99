package http2

import "golang.org/x/net/http2/hpack"

// There are servers that have a dynamic table though they are told not to: h2o 2.2.5
// ignores SETTINGS_HEADER_TABLE_SIZE. So, until a server says by a size update that
// it has none (RFC 7541 section 4.2), the first field that it puts into one makes us
// have one, too. Blocks are then decoded, and written again as literals.

// defaultTable is the size of a dynamic table, in bytes, where nothing is said of it
// (RFC 9113 section 6.5.2).
const defaultTable = 4096

type dynamicTable struct {
	decoder *hpack.Decoder // nil: there is no table
	none    bool           // there will be none
	block   []byte         // the last one, as literals
}

// decode reads a header block, and returns it without what refers to the table. It
// is borrowed from b, or from c until the next one.
func (c *Conn) decode(m *memo, b []byte) (block []byte, info blockInfo, ok bool, err error) {
	t := &c.table
	if t.decoder == nil {
		if info, ok, err = m.read(b); err != nil {
			return b, info, ok, err
		}
		t.none = t.none || info.resizes
		switch {
		case info.refers && t.none:
			return b, info, ok, ErrDynamicTable
		case t.none || !info.refers && !info.inserts:
			return b, info, ok, nil
		}
		t.decoder = hpack.NewDecoder(defaultTable, nil)
	}
	if err = t.expand(b); err == nil {
		info, ok, err = readBlock(t.block)
	}
	return t.block, info, ok, err
}

// expand writes a block as literals.
func (t *dynamicTable) expand(b []byte) error {
	t.block = t.block[:0]
	t.decoder.SetEmitFunc(func(f hpack.HeaderField) { t.block = AppendField(t.block, f.Name, []byte(f.Value)) })
	if _, err := t.decoder.Write(b); err != nil || t.decoder.Close() != nil {
		return ErrCompression
	}
	if len(t.block) > MaxBlock {
		return ErrHeaderTooLarge
	}
	return nil
}
