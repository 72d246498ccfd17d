"""Model files of half the size: the kernels as 16-bit floats (11 bits of precision), which whoever reads them widens again."""

import io
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from vision_app.errors import InputError

if TYPE_CHECKING:
    from h5py import Group

LARGE = 1024  # values; biases, statistics and scalings are smaller, and stay exact
WEIGHTS = "model.weights.h5"
ALIGNMENT = 16  # bytes; what LiteRT's format asks for


def halve_keras(content: bytes) -> bytes:
    """Return a .keras file with its kernels in 16 bits; Keras reads it as it reads any other, into a network of 32 bits.

    Raises:
        InputError: a weight is not finite, or beyond 65,504, the largest of 16 bits.
    """
    import h5py

    halved = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(halved, "w") as target:
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename == WEIGHTS:
                weights = io.BytesIO()
                with h5py.File(io.BytesIO(data)) as old, h5py.File(weights, "w") as new:
                    _copy_halved(old, new)
                data = weights.getvalue()
            target.writestr(entry, data)
    return halved.getvalue()


def _copy_halved(source: "Group", target: "Group") -> None:
    import h5py

    for name, value in source.attrs.items():
        target.attrs[name] = value
    for name, item in source.items():
        if isinstance(item, h5py.Group):
            _copy_halved(item, target.create_group(name))
        elif item.dtype == np.float32 and item.size >= LARGE:
            target[name] = _halved(item[()])
        else:
            source.copy(name, target)  # whole: of numbers that HDF5 does not know, Keras notes the kind beside them


def halve_tflite(content: bytes) -> bytes:
    """Return a .tflite file with its kernels in 16 bits, which the interpreter widens as it loads them.

    The scaling of the input, which TensorFlow's converter would round as well, stays exact.

    Raises:
        InputError: a weight is not finite, or beyond 65,504, the largest of 16 bits.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    class Builder(flatbuffers.Builder):
        def StartVector(self, elemSize: int, numElems: int, alignment: int) -> int:
            return super().StartVector(elemSize, numElems, max(alignment, ALIGNMENT))

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
    model.operatorCodes.append(code)
    for graph in model.subgraphs:
        widening = []
        for index, buffer in _large_constants(graph, model.buffers, schema.TensorType.FLOAT32):
            narrow, wide = schema.TensorT(), graph.tensors[index]
            narrow.shape, narrow.name, narrow.type = wide.shape, wide.name + b"/half", schema.TensorType.FLOAT16
            narrow.buffer, wide.buffer = wide.buffer, 0  # an empty one: of a value that is computed
            buffer.data = _halved(np.frombuffer(bytes(buffer.data), "<f4")).view(np.uint8)
            graph.tensors.append(narrow)
            operator = schema.OperatorT()
            operator.opcodeIndex = len(model.operatorCodes) - 1
            operator.inputs, operator.outputs = [len(graph.tensors) - 1], [index]
            widening.append(operator)
        graph.operators = widening + graph.operators
    builder = Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _large_constants(graph: Any, buffers: list[Any], kind: int) -> Iterator[tuple[int, Any]]:
    """Yield the place of each large constant of a type among the graph's tensors, and its buffer, which it alone uses."""
    uses = np.bincount([tensor.buffer for tensor in graph.tensors])
    for index, tensor in enumerate(list(graph.tensors)):
        data = buffers[tensor.buffer].data
        if tensor.type == kind and data is not None and len(data) >= 4 * LARGE and uses[tensor.buffer] == 1:
            yield index, buffers[tensor.buffer]


def _halved(values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float16)
    if not np.isfinite(narrow).all():
        raise InputError("A weight of this network is no number, or too large for 16 bits; publish it in 32.")
    return narrow
