"""Folders that change, until they come to rest: then they are due to be scanned. Pure."""

from dataclasses import dataclass, field

MOST_FOLDERS = 100
"""With more of them the whole library is scanned at once."""


@dataclass(slots=True)
class Settling:
    """Folders below a library's root ('' is the root: all of it), and when they changed.

    Attributes:
        quiet_s: a folder in which nothing changed for so long is due: a copy is whole by then.
        longest_s: one that goes on changing is due so long after its first change.
    """

    quiet_s: float = 2.0
    longest_s: float = 60.0
    _changed: dict[str, tuple[float, float]] = field(default_factory=dict)
    """First and last change, s."""

    def note(self, folder: str, now_s: float) -> None:
        """Something changed in a folder."""
        if len(self._changed) >= MOST_FOLDERS:
            folder = ""
        if folder == "" and "" not in self._changed:
            first = min((first for first, _ in self._changed.values()), default=now_s)
            self._changed = {"": (first, now_s)}
        elif "" in self._changed:
            folder = ""
        first, _ = self._changed.get(folder, (now_s, now_s))
        self._changed[folder] = (first, now_s)

    def due(self, now_s: float) -> list[str]:
        """The folders to be scanned now, taken out; one within another is not told apart."""
        due = sorted(
            folder
            for folder, (first, last) in self._changed.items()
            if now_s - last >= self.quiet_s or now_s - first >= self.longest_s
        )
        outermost: list[str] = []
        for folder in due:
            del self._changed[folder]
            if not any(folder.startswith(f"{outer}/") for outer in outermost):
                outermost.append(folder)
        return outermost
