"""A library's own rules: how its credits and genres are split. `.soniquebay.toml` in its root."""

import os
import tomllib
from dataclasses import dataclass, field, replace

from pydantic import BaseModel, ConfigDict, ValidationError

from services.extractor.tags.credits import CreditRules
from services.extractor.tags.normalise import GenreRules
from shared.contracts.errors import InvalidInput

RULES_FILE = ".soniquebay.toml"
_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Rules:
    """How what is tagged is taken apart."""

    credits: CreditRules = field(default_factory=CreditRules)
    genres: GenreRules = field(default_factory=GenreRules)


DEFAULT_RULES = Rules()


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
    """The rules of a library: those of the settings, and what the file in its root says.

    Raises:
        BadRules: the file cannot be read, or says something that has no meaning.
    """
    path = os.path.join(root, RULES_FILE)  # noqa: PTH118 - roots may be no UTF-8
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - as above
            told = _File.model_validate(tomllib.loads(file.read(_MOST_BYTES).decode()))
    except FileNotFoundError:
        return settings
    except OSError as error:
        raise BadRules(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(map(str, first["loc"]))
        words = "there is no such field" if first["type"] == "extra_forbidden" else first["msg"]
        raise BadRules(f"{path}: {name}: {words}") from error
    except ValueError as error:  # no TOML, or no UTF-8
        raise BadRules(f"{path} is no TOML: {error}") from error
    return _with(settings, told)


def _with(settings: Rules, told: _File) -> Rules:
    credits_, genres = settings.credits, settings.genres
    return Rules(
        credits=replace(
            credits_,
            whole=credits_.whole.union(name.casefold() for name in told.credits.names),
            joins=credits_.joins if told.credits.joins is None else tuple(told.credits.joins),
        ),
        genres=GenreRules(
            whole=genres.whole.union(name.casefold() for name in told.genres.whole),
            separators=genres.separators
            if told.genres.separators is None
            else tuple(filter(None, told.genres.separators)),
            renamed={old.casefold(): new for old, new in told.genres.rename.items()},
        ),
    )
