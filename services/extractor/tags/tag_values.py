"""The values of a file's raw tags, asked by the tags' names. Pure."""

from collections.abc import Iterable, Sequence

from services.extractor.tags.model import RawTags
from services.extractor.tags.normalise import first
from services.extractor.tags.rules import Rules

_MOST_KEPT = 4_000  # characters: what is longer is not kept, so that no file fills the memory


def is_short(told: Iterable[Iterable[str]]) -> bool:
    """Whether what is made of these values may be kept for other files."""
    return sum(len(text) for texts in told for text in texts) <= _MOST_KEPT


class TagValues:
    """Raw tags, asked by name; a name that is not there has no values.

    Attributes:
        rules: how credits and genres are split.
    """

    def __init__(self, raw: RawTags, rules: Rules) -> None:
        self._raw = raw
        self.rules = rules

    def there(self, names: Iterable[str]) -> list[str]:
        """Those of the names that there are."""
        return [name for name in names if self._raw.get(name)]

    def all(self, *names: str) -> Sequence[str]:
        """The values of the first name that has any."""
        for name in names:
            if values := self._raw.get(name):
                return values
        return ()

    def one(self, *names: str) -> str | None:
        """The first clean value."""
        for name in names:
            if values := self._raw.get(name):
                return first(values)
        return None
