"""Small networks as ONNX files, written by hand (the protocol buffers of onnx.proto, IR version 8, operators 13)."""

from __future__ import annotations

import numpy as np

FLOAT = 1


def _number(value: int) -> bytes:
    made = bytearray()
    value &= (1 << 64) - 1
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    made.append(value)
    return bytes(made)


def _field(tag: int, value: bytes | str | int) -> bytes:
    if isinstance(value, int):
        return _number(tag << 3) + _number(value)
    held = value.encode() if isinstance(value, str) else value
    return _number(tag << 3 | 2) + _number(len(held)) + held


def _tensor(name: str, array: np.ndarray) -> bytes:
    dims = b"".join(_field(1, int(side)) for side in array.shape)
    return dims + _field(2, FLOAT) + _field(8, name) + _field(9, array.astype("<f4").tobytes())


def _external(name: str, array: np.ndarray, file: str) -> bytes:
    """The same whose numbers lie in another file."""
    dims = b"".join(_field(1, int(side)) for side in array.shape)
    return (
        dims + _field(2, FLOAT) + _field(8, name) + _field(13, _field(1, "location") + _field(2, file)) + _field(14, 1)
    )


def _value(name: str, shape: tuple[int | str, ...]) -> bytes:
    each = (_field(1, _field(1 if isinstance(side, int) else 2, side)) for side in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, FLOAT) + _field(2, b"".join(each))))


def _node(kind: str, inputs: list[str], output: str, **told: list[int] | int) -> bytes:
    made = b"".join(_field(1, name) for name in inputs) + _field(2, output) + _field(4, kind)
    for name, value in told.items():
        whole = isinstance(value, int)
        numbers = _field(3, value) if whole else b"".join(_field(8, one) for one in value)
        made += _field(5, _field(1, name) + numbers + _field(20, 2 if whole else 7))
    return made


def convolution(
    weights: np.ndarray,
    shape: tuple[int | str, ...],
    *,
    pooled: bool = False,
    tokens: bool = False,
    elsewhere: str = "",
) -> bytes:
    """A convolution with weights (outputs, channels, 3, 3) of images of a shape (n, channels, rows, columns),
    rectified; `pooled`, its means over an image; `tokens`, those of its columns as (n, columns, outputs). The weights
    lie in the file, or `elsewhere`."""
    nodes = [_node("Conv", ["x", "w"], "c", pads=[1, 1, 1, 1]), _node("Relu", ["c"], "r")]
    nodes += [_node("GlobalAveragePool", ["r"], "y")] if pooled else []
    if tokens:
        nodes += [_node("ReduceMean", ["r"], "m", axes=[2], keepdims=0), _node("Transpose", ["m"], "y", perm=[0, 2, 1])]
    out = "y" if pooled or tokens else "r"
    held = _external("w", weights, elsewhere) if elsewhere else _tensor("w", weights)
    sides: tuple[int | str, ...] = (1, 1) if pooled else shape[2:]
    graph = b"".join(_field(1, node) for node in nodes) + _field(2, "g") + _field(5, held)
    made = (shape[0], shape[3], len(weights)) if tokens else (shape[0], len(weights), *sides)
    graph += _field(11, _value("x", shape)) + _field(12, _value(out, made))
    return _field(1, 8) + _field(7, graph) + _field(8, _field(1, "") + _field(2, 13))
