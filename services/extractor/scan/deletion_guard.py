"""When files that were not seen are not taken for gone: it waits for a person. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from services.extractor.scan.compare import outside_of

_ASK = "Is a disk not mounted? If they are really gone, scan with --accept-missing"


@dataclass(frozen=True, slots=True)
class Guard:
    """How much may go missing at once without a person's word.

    Attributes:
        share: of the known files; a listing that shrank by more is taken for an accident.
        least: from so many known files on. Fewer may go, unless nothing at all is left.
    """

    share: float = 0.5
    least: int = 50


@dataclass(frozen=True, slots=True)
class Listing:
    """What a walk saw, beside what was known.

    Attributes:
        place: the folder that was walked, as people write it.
        is_whole: whether that is a library's root.
        is_root_empty: whether nothing at all is in the root.
        seen: files that are there.
        known: files that were there before; those below places that could not be looked at
            don't count.
        missing: paths of known files that were not seen.
        empty_folders: folders in which there is nothing at all.
    """

    place: str
    is_whole: bool
    is_root_empty: bool
    seen: int
    known: int
    missing: Sequence[str]
    empty_folders: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which files are marked missing, how many are not, and why, in words for people."""

    gone: Sequence[str]
    held: int = 0
    message: str | None = None


def judge(listing: Listing, guard: Guard) -> Verdict:
    """Tell a removal from an accident: a disk that is not mounted, a share that answers oddly.

    The listings are compared, not the names: files that were moved are seen elsewhere.
    """
    if not listing.missing:
        return Verdict(())
    reason = _accident(listing, guard)
    if reason is not None:
        return Verdict((), len(listing.missing), f"{reason}: nothing was marked missing. {_ASK}")
    emptied = _emptied(listing, guard)
    if not emptied:
        return Verdict(listing.missing)
    gone = outside_of(listing.missing, emptied)
    held = len(listing.missing) - len(gone)
    named = ", ".join(f"{listing.place.rstrip('/')}/{folder}" for folder in sorted(emptied)[:3])
    message = f"nothing is left in {named}, where {held:,} files are known: they were not marked"
    return Verdict(gone, held, f"{message} missing. {_ASK}")


def _accident(listing: Listing, guard: Guard) -> str | None:
    known, shrunk = listing.known, listing.known - listing.seen
    if listing.is_root_empty:
        return f"{listing.place} is empty, but {known:,} files are known in it"
    if not listing.seen and (listing.is_whole or known >= guard.least):
        return f"none of the {known:,} files known in {listing.place} were seen"
    if known >= guard.least and shrunk > known * guard.share:
        return f"only {listing.seen:,} of {known:,} files were seen in {listing.place}"
    return None


def _emptied(listing: Listing, guard: Guard) -> set[str]:
    """Empty folders that had so many files that a disk may belong there."""
    if listing.known - listing.seen < guard.least:
        return set()
    lost = dict.fromkeys(listing.empty_folders, 0)
    for path in listing.missing:
        folder = path
        while folder:
            folder = folder.rpartition("/")[0]
            if folder in lost:
                lost[folder] += 1
    return {folder for folder, files in lost.items() if files >= guard.least}
