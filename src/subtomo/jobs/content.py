"""What an item is computed from, as one short text: another content, another text."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np


def content_digest(*parts: Any) -> str:
    """Digest values: arrays, dataclasses, mappings, sequences and what prints as what it is.

    Parameters
    ----------
    parts : in order

    Returns
    -------
    32 characters
    """
    digest = hashlib.sha256()
    for part in parts:
        _add(digest, part)
    return digest.hexdigest()[:32]


def _add(digest: Any, value: Any) -> None:
    """Add a value, with marks that keep neighbours apart."""
    if isinstance(value, np.ndarray):
        digest.update(f"array {value.dtype.str} {value.shape} ".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    elif is_dataclass(value) and not isinstance(value, type):
        digest.update(f"{type(value).__name__}(".encode())
        for field in fields(value):
            digest.update(f"{field.name}=".encode())
            _add(digest, getattr(value, field.name))
        digest.update(b")")
    elif isinstance(value, Mapping):
        _add(digest, [[key, value[key]] for key in sorted(value, key=str)])
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        digest.update(b"[")
        for each in value:
            _add(digest, each)
            digest.update(b",")
        digest.update(b"]")
    else:
        digest.update(f"{type(value).__name__} {value!r} ".encode(errors="surrogateescape"))
