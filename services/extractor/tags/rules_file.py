"""A library's own rules: `.soniquebay.toml` in its root (docs/tags.md)."""

import os
import tomllib
from dataclasses import replace

from pydantic import BaseModel, ConfigDict, ValidationError

from services.extractor.tags.rules import DEFAULT_RULES, GenreRules, Rules
from shared.contracts.errors import InvalidInput

RULES_FILE = ".soniquebay.toml"
_LARGEST_BYTES = 1_000_000


class BadRules(InvalidInput):
    """A rules file cannot be used; the message names it and the field."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Credits(_Table):
    names: list[str] = []
    joins: list[str] | None = None


class _Genres(_Table):
    whole: list[str] = []
    separators: list[str] | None = None
    rename: dict[str, str] = {}


class _File(_Table):
    credits: _Credits = _Credits()
    genres: _Genres = _Genres()


def rules_of(root: str, settings: Rules = DEFAULT_RULES) -> Rules:
    """The rules of a library: those of the settings, changed by the file in its root.

    Raises:
        BadRules: the file cannot be read, or has an unknown field or a value of the wrong type.
    """
    path = os.path.join(root, RULES_FILE)  # noqa: PTH118 - roots may be no UTF-8
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - as above
            document = tomllib.loads(file.read(_LARGEST_BYTES).decode())
        rules = _File.model_validate(document)
    except FileNotFoundError:
        return settings
    except OSError as error:
        raise BadRules(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(map(str, first["loc"]))
        words = "there is no such field" if first["type"] == "extra_forbidden" else first["msg"]
        raise BadRules(f"{path}: {name}: {words}") from error
    except UnicodeDecodeError as error:
        raise BadRules(f"{path} is no TOML: it is not encoded in UTF-8") from error
    except ValueError as error:  # tomllib's own error, or a number of thousands of digits
        raise BadRules(f"{path} is no TOML: {error}") from error
    return _with(settings, rules)


def _with(settings: Rules, file: _File) -> Rules:
    credits_, genres = settings.credits, settings.genres
    return Rules(
        credits=replace(
            credits_,
            whole=credits_.whole.union(name.casefold() for name in file.credits.names),
            joins=credits_.joins if file.credits.joins is None else tuple(file.credits.joins),
        ),
        genres=GenreRules(
            whole=genres.whole.union(name.casefold() for name in file.genres.whole),
            separators=genres.separators
            if file.genres.separators is None
            else tuple(filter(None, file.genres.separators)),
            renamed={old.casefold(): new for old, new in file.genres.rename.items()},
        ),
    )
