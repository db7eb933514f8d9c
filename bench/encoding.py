"""Numbers and byte strings as lib0 writes them: `varUint` and `varBytes` of docs/protocol.md."""


def uint(value: int) -> bytes:
    """A number, 7 bits a byte, lowest first."""
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def blob(data: bytes) -> bytes:
    return uint(len(data)) + data


def read_uint(data: bytes, at: int) -> tuple[int, int]:
    """The number at `at`, and where the next byte is."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def read_blob(data: bytes, at: int) -> tuple[bytes, int]:
    size, at = read_uint(data, at)
    return data[at : at + size], at + size
