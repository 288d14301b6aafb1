"""Tiny ONNX files, written by hand: protocol buffers are a few lines, and no test needs a package to make them."""


def network(op: str, inputs: dict[str, tuple[int | str, ...]], channels: int = 3) -> bytes:
    """A network of one node, op(*inputs), whose output has `channels` channels of the first input's size."""
    first = next(iter(inputs.values()))
    shape = (1, channels, *first[2:])
    node = b"".join(_text(1, name) for name in inputs) + _text(2, "out") + _text(4, op)
    graph = _message(1, node) + _text(2, "g")
    graph += b"".join(_message(11, _value(name, shape)) for name, shape in inputs.items()) + _message(
        12, _value("out", shape)
    )
    return _number(1, 8) + _message(7, graph) + _message(8, _text(1, "") + _number(2, 17))


def _value(name: str, shape: tuple[int | str, ...]) -> bytes:
    sides = b"".join(_message(1, _number(1, s) if isinstance(s, int) else _text(2, s)) for s in shape)
    return _text(1, name) + _message(2, _message(1, _number(1, 1) + _message(2, sides)))


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode())
