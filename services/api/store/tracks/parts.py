"""Which part of its file a track is: the whole, or a track of a cue sheet. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from services.api.store import checks
from services.api.store.checks import InvalidValue, Item

FileKey = tuple[str, int]
"""Path and part: what a row of `files` is found by within its library."""
FIELDS = ("part", "cue_problem")
"""The fields of an item of `createTracks` that are about it: nearly no item has any."""
COLUMNS = ("part", "start_s", "end_s", "cue_sheet", "cue_problem")
"""The columns of `files` that hold it."""


class FilePart(NamedTuple):
    """A part of a file; `number` 0 is the whole.

    Attributes:
        number: the place among the tracks in the file, from 1.
        total: how many tracks are in the file.
        start_s: where it begins; None of a whole file.
        end_s: where it ends; None at the file's end.
        cue_sheet: the name of the cue sheet that says so.
        cue_problem: why another cue sheet of the file was passed over.
    """

    number: int = 0
    total: int = 0
    start_s: float | None = None
    end_s: float | None = None
    cue_sheet: str | None = None
    cue_problem: str | None = None

    @property
    def columns(self) -> tuple[Any, ...]:
        """The values of `COLUMNS`."""
        return (self.number, self.start_s, self.end_s, self.cue_sheet, self.cue_problem)

    def is_of_same_file_as(self, part: int) -> bool:
        """Whether a file that has this part has that one, too."""
        return 1 <= part <= self.total if self.number else part == 0


WHOLE = FilePart()


def validate_part(item: Item) -> FilePart:
    """The part of an item of `createTracks`.

    Raises:
        InvalidValue: for the first invalid field.
    """
    problem = checks.optional_text(item, "cue_problem", 2_000)
    part = item.get("part")
    if not part:
        return FilePart(cue_problem=problem)
    total = checks.integer(part, "count", 1, checks.SMALLINT_LIMIT)
    start_s = checks.number(part, "start_s", 0, 1e9)
    end_s = checks.optional_number(part, "end_s", 0, 1e9)
    if end_s is not None and end_s <= start_s:
        raise InvalidValue("it ends before it starts", "part")
    return FilePart(
        number=checks.integer(part, "number", 1, total),
        total=total,
        start_s=start_s,
        end_s=end_s,
        cue_sheet=checks.name_text(part, "cue_sheet"),
        cue_problem=problem,
    )


def key_of(file: Mapping[str, Any]) -> FileKey:
    """The key of a row of `files`."""
    return file["path"], file["part"]
