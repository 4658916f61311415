"""A smaller embedding model, cut out of a real one: fewer layers, or fewer heads and dimensions.

It stands for a model that replaces another one under the same name. Its vectors mean little.
"""

import json
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_HEAD = 32  # dimensions of an attention head of all-MiniLM-L6-v2
_WIDENING = 4  # the inner layer of the feed-forward block is so many times wider
_FILE = "model.safetensors"


def cut(model: Path, folder: Path, *, heads: int = 12, layers: int = 6) -> Path:
    """The folder with a BERT model of 32 dimensions a head.

    Args:
        model: the folder of all-MiniLM-L6-v2.
        folder: a new one, for the smaller model.
        heads: how many of its 12 are kept.
        layers: how many of its 6 are kept.
    """
    shutil.copytree(model, folder)
    config = json.loads((folder / "config.json").read_text())
    width = heads * _HEAD
    config |= {"hidden_size": width, "intermediate_size": _WIDENING * width,
               "num_attention_heads": heads, "num_hidden_layers": layers}  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    whole = 12 * _HEAD
    sizes = {whole: width, _WIDENING * whole: _WIDENING * width}
    tensors = {
        name: values[tuple(slice(sizes.get(size, size)) for size in values.shape)]
        for name, values in _read(model / _FILE).items()
        if _layer(name) < layers
    }
    _write(folder / _FILE, tensors)
    return folder


def _layer(name: str) -> int:
    parts = name.split(".")
    return int(parts[parts.index("layer") + 1]) if "layer" in parts else -1


def _read(path: Path) -> dict[str, NDArray[Any]]:
    # safetensors: the length of the header, the header as JSON, the numbers.
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    numbers = content[8 + length :]
    types = {"F32": "<f4", "I64": "<i8"}
    return {
        name: np.frombuffer(
            numbers[slice(*tensor["data_offsets"])], types[tensor["dtype"]]
        ).reshape(tensor["shape"])
        for name, tensor in header.items()
        if name != "__metadata__"
    }


def _write(path: Path, tensors: dict[str, NDArray[Any]]) -> None:
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    parts: list[bytes] = []
    at = 0
    for name, values in tensors.items():
        part = values.tobytes()
        type_ = "F32" if values.dtype.kind == "f" else "I64"
        header[name] = {"dtype": type_, "shape": values.shape, "data_offsets": [at, at + len(part)]}
        parts.append(part)
        at += len(part)
    encoded = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(encoded)) + encoded + b"".join(parts))
