"""How tags are split into artists and genres. Pure.

The lists of names are in lower case. A library may add its own (`rules_file.py`, docs/tags.md).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

JOINS = ("&", "with", "vs", "vs.", "versus", "x", "presents", "pres.")
"""Words and signs between artists that may also be part of a name."""

WHOLE_NAMES = frozenset(
    """\
above & beyond
above / below
ac / dc
ac/dc
ac;dc
althea & donna
aly & aj
amadou & mariam
angus & julia stone
ashford & simpson
belle & sebastian
big & rich
blood, sweat & tears
bob & earl
bob & marcia
brewer & shipley
brooks & dunn
buckner & garcia
captain & tennille
chad & jeremy
charles & eddie
chas & dave
chase & status
coheed & cambria
crosby, stills & nash
crosby, stills, nash & young
dan & shay
daryl hall & john oates
dave dee, dozy, beaky, mick & tich
david & david
dead & company
delaney & bonnie
dimitri vegas & like mike
earth, wind & fire
earth, wind and fire
emerson, lake & palmer
emerson, lake and palmer
eric b. & rakim
flanders & swann
flatt & scruggs
flo & eddie
foster & allen
gallagher & lyle
gilbert & sullivan
godley & creme
hall & oates
ike & tina turner
iron & wine
jan & dean
kairon; irse!
kruder & dorfmeister
lambert, hendricks & ross
loggins & messina
love & rockets
love / hate
maddie & tae
man with a mission
marcus & martinus
matt & kim
mcfadden & whitehead
medeski, martin & wood
mel & kim
mickey & sylvia
mumford & sons
n / a
nico & vinz
nina & frederik
of mice & men
patience & prudence
paul & paula
peaches & herb
pepsi & shirlie
peter & gordon
peter, paul & mary
peter, paul and mary
peters & lee
pj & duncan
polo & pan
renée & renato
rhythm & sound
robson & jerome
rodrigo & gabriela
run with the hunted
sam & dave
santo & johnny
seals & crofts
she & him
shirley & lee
simon & garfunkel
sleeping with sirens
sly & robbie
sonny & cher
sons & daughters
tegan & sara
tuck & patti
tyler, the creator
wendy & lisa
windy & carl
wisin & yandel
womack & womack
yarbrough & peoples
years & years
zager & evans
zion & lennox
""".splitlines()
)
"""Artists whose names look like several. Further ones come from the settings."""

WHOLE_GENRES = frozenset(
    ("singer/songwriter", "folk, world, & country", "folk, world & country", "r&b; soul")
)
"""Genres that look like several."""


@dataclass(frozen=True, slots=True)
class CreditRules:
    """How credits are split.

    Attributes:
        whole: names that are never split, in lower case.
        joins: words and signs that stand between artists, besides those that always do. With ","
            among them a comma always splits, without it in lists only.
    """

    whole: frozenset[str] = WHOLE_NAMES
    joins: tuple[str, ...] = JOINS

    @classmethod
    def with_names(cls, names: Iterable[str], joins: Sequence[str]) -> "CreditRules":
        """The rules with these joins, and with further names that are never split."""
        return cls(WHOLE_NAMES.union(name.casefold() for name in names), tuple(joins))


@dataclass(frozen=True, slots=True)
class GenreRules:
    """How genres are split.

    Attributes:
        whole: genres that are never split, in lower case.
        separators: what stands between genres in one text.
        renamed: new names of genres, by the old ones in lower case; '' leaves a genre out.
    """

    whole: frozenset[str] = WHOLE_GENRES
    separators: tuple[str, ...] = (";", "/", ",")
    renamed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a library."""

    credits: CreditRules = field(default_factory=CreditRules)
    genres: GenreRules = field(default_factory=GenreRules)


DEFAULT_RULES = Rules()
