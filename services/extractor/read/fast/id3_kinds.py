"""The kinds of ID3 frames that are understood.

Source: https://id3.org/id3v2.4.0-frames
"""

from collections.abc import Callable

from services.extractor.read.fast.found import Beyond
from services.extractor.read.fast.id3_frames import Frame, genres
from services.extractor.read.fast.id3_texts import LATIN1, every, one, time_stamp

Keyed = tuple[str, Frame] | None
"""A frame by mutagen's key; None where it has no content, which mutagen drops too."""

_TEXTS = frozenset(
    """
    TALB TCOM TCOP TDAT TDES TKWD TCAT MVNM GRP1 TENC TEXT TFLT TGID TIME TIT1 TIT2 TIT3 TKEY TLAN
    TMED TMOO TOAL TOFN TOLY TOPE TOWN TPE1 TPE2 TPE3 TPE4 TPRO TPUB TRDA TRSN TRSO TSO2 TSOA TSOC
    TSOP TSOT TSRC TSSE TSST TBPM TCMP TDLY TLEN TORY TSIZ TYER MVIN TPOS TRCK
""".split()  # noqa: SIM905 - a list of sixty strings is harder to read
)
_TIMES = frozenset(("TDEN", "TDOR", "TDRC", "TDRL", "TDTG"))
_ADDRESSES = frozenset(("WCOP", "WFED", "WOAF", "WOAS", "WORS", "WPAY", "WPUB"))
_ADDRESSES_OFTEN = frozenset(("WCOM", "WOAR"))
_UNREAD = frozenset(("PRIV", "MCDI", "GEOB"))
"""Nothing of them is told, and none can make mutagen fail."""
_MOST_COUNT_BYTES = 8
_LANGUAGE_BYTES = 3

NAMES_OF_V22 = {
    pair[:3].encode(): pair[4:]
    for pair in """
    TT1=TIT1 TT2=TIT2 TT3=TIT3 TP1=TPE1 TP2=TPE2 TP3=TPE3 TP4=TPE4 TCM=TCOM TXT=TEXT TLA=TLAN
    TCO=TCON TAL=TALB TRC=TSRC TDA=TDAT TIM=TIME TRD=TRDA TMT=TMED TFT=TFLT TCR=TCOP TPB=TPUB
    TEN=TENC TST=TSOT TSA=TSOA TS2=TSO2 TSP=TSOP TSC=TSOC TSS=TSSE TOF=TOFN TKE=TKEY TOT=TOAL
    TOA=TOPE TOL=TOLY TXX=TXXX COM=COMM TPA=TPOS TRK=TRCK UFI=UFID ULT=USLT CNT=PCNT POP=POPM
    TYE=TYER TBP=TBPM TCP=TCMP TLE=TLEN TSI=TSIZ TDY=TDLY TOR=TORY WAF=WOAF WAS=WOAS WCP=WCOP
    WPB=WPUB WXX=WXXX WAR=WOAR WCM=WCOM IPL=IPLS MVN=MVNM GP1=GRP1 MVI=MVIN GEO=GEOB MCI=MCDI
    """.split()  # noqa: SIM905 - as above
}
"""What is called what; 2.2's images are written in another way and left to mutagen."""


def frame(name: str, content: bytes, *, is_old: bool) -> Keyed:
    """A frame that has content.

    Args:
        name: as of 2.3 and later.
        content: what follows the frame's head.
        is_old: before 2.4.

    Raises:
        Beyond: its kind is not understood, or it is unusual.
    """
    if name in _TEXTS:
        texts = _texts(content, is_old=is_old)
        return (name, Frame(name, text=texts)) if texts else None
    if name in _TIMES:
        texts = _texts(content, is_old=is_old)
        return (name, Frame(name, text=[time_stamp(text) for text in texts])) if texts else None
    if name in _UNREAD:
        return None
    if name in _ADDRESSES or name in _ADDRESSES_OFTEN:
        url, _ = one(content, LATIN1, is_old=is_old)
        return name if name in _ADDRESSES else f"{name}:{url}", Frame(name, url=url)
    reader = _READERS.get(name)
    if reader is None:
        raise Beyond
    return reader(name, content, is_old)


def _texts(content: bytes, *, is_old: bool) -> list[str]:
    return every(content[1:], content[0], is_old=is_old)


def _genres(name: str, content: bytes, is_old: bool) -> Keyed:
    texts = _texts(content, is_old=is_old)
    return (name, Frame(name, genres=genres(texts))) if texts else None


def _described(name: str, content: bytes, is_old: bool) -> Keyed:
    about, rest = one(content[1:], content[0], is_old=is_old)
    if not rest:
        return None
    texts = every(rest, content[0], is_old=is_old)
    return f"{name}:{about}", Frame(name, desc=about, text=texts)


def _described_address(name: str, content: bytes, is_old: bool) -> Keyed:
    about, rest = one(content[1:], content[0], is_old=is_old)
    if not rest:
        return None
    url, _ = one(rest, LATIN1, is_old=is_old)
    return f"{name}:{about}", Frame(name, desc=about, url=url)


def _in_a_language(name: str, content: bytes, is_old: bool) -> Keyed:
    """Comments, which may have many texts, and lyrics, which have one."""
    encoding, language = content[0], content[1 : 1 + _LANGUAGE_BYTES].decode("ascii")
    about, rest = one(content[1 + _LANGUAGE_BYTES :], encoding, is_old=is_old)
    if not rest:
        return None
    text: object
    if name == "COMM":
        text = every(rest, encoding, is_old=is_old)
    else:
        text, _ = one(rest, encoding, is_old=is_old)
    return f"{name}:{about}:{language}", Frame(name, desc=about, text=text)


def _people(name: str, content: bytes, is_old: bool) -> Keyed:
    people, rest = [], content[1:]
    while rest:
        part, rest = one(rest, content[0], is_old=is_old)
        person, rest = one(rest, content[0], is_old=is_old) if rest else ("", rest)
        people.append([part, person])
    return (name, Frame(name, people=people)) if people else None


def _identifier(name: str, content: bytes, is_old: bool) -> Keyed:
    owner, _, told = content.partition(b"\0")
    text = owner.decode("latin-1")
    return f"{name}:{text}", Frame(name, owner=text, data=told)


def _image(name: str, content: bytes, is_old: bool) -> Keyed:
    mime, _, rest = content[1:].partition(b"\0")
    if len(rest) < 2:
        return None
    about, image = one(rest[1:], content[0], is_old=is_old)
    told = {"mime": mime.decode("latin-1"), "type": rest[0], "desc": about, "data": image}
    return f"{name}:{about}", Frame(name, **told)


def _rating(name: str, content: bytes, is_old: bool) -> Keyed:
    email, _, rest = content.partition(b"\0")
    if not rest or len(rest) > _MOST_COUNT_BYTES:
        raise Beyond
    told = {"count": int.from_bytes(rest[1:], "big")} if rest[1:] else {}
    text = email.decode("latin-1")
    return f"{name}:{text}", Frame(name, email=text, rating=rest[0], **told)


def _count(name: str, content: bytes, is_old: bool) -> Keyed:
    if len(content) > _MOST_COUNT_BYTES:
        raise Beyond
    return name, Frame(name, count=int.from_bytes(content, "big"))


def _flag(name: str, content: bytes, is_old: bool) -> Keyed:
    return name, Frame(name)


_READERS: dict[str, Callable[[str, bytes, bool], Keyed]] = {
    "TCON": _genres, "TXXX": _described, "WXXX": _described_address, "COMM": _in_a_language,
    "USLT": _in_a_language, "TIPL": _people, "TMCL": _people, "IPLS": _people, "UFID": _identifier,
    "APIC": _image, "POPM": _rating, "PCNT": _count, "PCST": _flag,
}  # fmt: skip
