package bench

import (
	"bytes"
	"encoding/binary"

	"github.com/mirrorgate/mirrorgate/codec"
)

// The frames of a flood: each as large as mirrorgate agrees to, full of something.

// floodFrame is mirrorgate's default --max-frame-size in bytes, without the length
// in front of a frame.
const floodFrame = 1 << 20

func bodyFrame() []byte {
	l := Load{Headers: 8, Body: 1}
	for {
		frame := notify(l)
		over := len(frame) - codec.LenSize - floodFrame
		if over == 0 {
			return frame
		}
		l.Body -= over // the length of the length may grow with it
	}
}

// fieldsFrame has one request with as many fields as fit, some 260,000.
func fieldsFrame() []byte {
	field := codec.AppendHeader(nil, "a", "b")
	request := func(fields []byte) []byte {
		return codec.AppendNotify(nil, firstStreamID, 1, codec.Request{
			Method: []byte("GET"), Target: []byte("/"), Version: []byte("1.1"), BodySize: -1,
			Headers: codec.Headers{Raw: codec.AppendHeadersEnd(fields)},
		})
	}
	const lengths = 16 // what larger lengths may take
	room := floodFrame + codec.LenSize - len(request(nil)) - lengths
	return request(bytes.Repeat(field, room/len(field)))
}

// messagesFrame has as many messages without arguments as fit, some 350,000.
func messagesFrame() []byte {
	head := codec.AppendNotify(nil, firstStreamID, 1, codec.Request{})[:streamIDAt+streamIDSize+1]
	message := append(codec.AppendString(nil, "m"), 0)
	room := floodFrame + codec.LenSize - len(head)
	frame := append(head, bytes.Repeat(message, room/len(message))...)
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-codec.LenSize))
	return frame
}
