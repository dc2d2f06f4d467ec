"""Read and write Thrift's compact protocol, as far as a Parquet footer needs it.

A struct is a dict from field number to (type, value), a list is (element type, values). Source: the Thrift compact
protocol specification (apache/thrift, doc/specs/thrift-compact-protocol.md).
"""

from typing import Any

STOP, TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(13)

Struct = dict[int, tuple[int, Any]]


def read_struct(data: bytes) -> Struct:
    """Return the struct at the beginning of `data`."""
    return _Reader(data).struct()


def write_struct(fields: Struct) -> bytes:
    """Return a struct as bytes."""
    out = bytearray()
    _put_struct(out, fields)
    return bytes(out)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def struct(self) -> Struct:
        fields: Struct = {}
        number = 0
        while True:
            head = self._byte()
            if head == STOP:
                return fields
            number = number + (head >> 4) if head >> 4 else _signed(self._varint())
            kind = head & 15
            fields[number] = (kind, kind == TRUE if kind in {TRUE, FALSE} else self._value(kind))

    def _value(self, kind: int) -> Any:
        if kind in {I16, I32, I64}:
            return _signed(self._varint())
        if kind == BINARY:
            return self._take(self._varint())
        if kind == STRUCT:
            return self.struct()
        if kind in {LIST, SET}:
            head = self._byte()
            size, element = head >> 4, head & 15
            if size == 15:
                size = self._varint()
            return element, [self._value(element) for _ in range(size)]
        if kind in {BYTE, TRUE, FALSE}:
            return self._byte()
        if kind == DOUBLE:
            return self._take(8)
        raise ValueError(f"a Parquet footer has a value of type {kind}, which it never should")

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _take(self, size: int) -> bytes:
        self._at += size
        return self._data[self._at - size : self._at]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._data[self._at]
            self._at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7


def _put_struct(out: bytearray, fields: Struct) -> None:
    before = 0
    for number, (kind, value) in sorted(fields.items()):
        written = kind if kind not in {TRUE, FALSE} else TRUE if value else FALSE
        if 0 < number - before < 16:
            out.append((number - before) << 4 | written)
        else:
            out.append(written)
            _put_varint(out, _unsigned(number))
        if kind not in {TRUE, FALSE}:
            _put_value(out, kind, value)
        before = number
    out.append(STOP)


def _put_value(out: bytearray, kind: int, value: Any) -> None:
    if kind in {I16, I32, I64}:
        _put_varint(out, _unsigned(value))
    elif kind == BINARY:
        _put_varint(out, len(value))
        out += value
    elif kind == STRUCT:
        _put_struct(out, value)
    elif kind in {LIST, SET}:
        element, values = value
        out.append(min(len(values), 15) << 4 | element)
        if len(values) >= 15:
            _put_varint(out, len(values))
        for each in values:
            _put_value(out, element, each)
    elif kind == DOUBLE:
        out += value
    else:
        out.append(value)


def _put_varint(out: bytearray, value: int) -> None:
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)


def _signed(value: int) -> int:
    return (value >> 1) ^ -(value & 1)


def _unsigned(value: int) -> int:
    return (value << 1) ^ (value >> 63)
