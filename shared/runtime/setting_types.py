"""Types of settings that are lists, written with commas: names, folders, origins."""

import os
import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _folder(text: str) -> str:
    if not text.startswith("/"):
        raise ValueError(f"{text!r} is not an absolute path")
    return os.path.normpath(text)


def _origin(text: str) -> str:
    """An origin as browsers send it: scheme, host and port, in lower case."""
    origin = text.lower().rstrip("/")
    if not re.fullmatch(r"https?://[^/?#@*\s]+", origin):
        raise ValueError(
            f"{text} is no origin: those are a scheme, a host and perhaps a port, such as"
            " https://music.example or http://localhost:3000"
        )
    default_port = ":443" if origin.startswith("https") else ":80"
    return origin.removesuffix(default_port)


# NoDecode: pydantic-settings takes the value of a tuple for JSON otherwise.
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Folders = Annotated[
    tuple[Annotated[str, AfterValidator(_folder)], ...], NoDecode, BeforeValidator(_split)
]
"""Absolute paths."""
Origins = Annotated[
    tuple[Annotated[str, AfterValidator(_origin)], ...], NoDecode, BeforeValidator(_split)
]
"""Origins of web pages."""
