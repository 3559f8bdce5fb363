"""Reading of an ONNX graph whose weights must be in its file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gigastt_lab.errors import ModelError

if TYPE_CHECKING:
    from onnx import ModelProto


def load_whole_graph(path: Path) -> ModelProto:
    """Model in a file that holds all its weights.

    The cache keeps what is made of a model by the checksum of its file (`runtime.cache`): weights elsewhere
    could change without anybody noticing.

    Raises:
        ModelError: it is no ONNX graph, or some of its weights are in another file.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(str(path), load_external_data=False)
    except (DecodeError, ValueError, OSError) as error:
        raise ModelError(f"{path} is no ONNX graph that can be read: {error}") from error
    tensors = [*model.graph.initializer]
    tensors += [attribute.t for node in model.graph.node for attribute in node.attribute]
    for tensor in tensors:
        if tensor.data_location == tensor.EXTERNAL:
            raise ModelError(f"{path} has weights in another file ({tensor.name}); save it as one file")
    return model
