"""Styles: instruments and their patterns. A row is a bar; its steps are evenly spaced.

Drums: a digit is the strength (9 is full), `?` a stroke that is played at random. Bass: R root,
F fifth, O octave, T third, A a step towards the next root, `-` holds. Comping: digits as above,
`-` holds.
The off-beats of a swing style are on the last third of each beat.
"""

from dataclasses import dataclass, field

from bench.truth import voices
from bench.truth.voices import Voice


@dataclass(frozen=True, slots=True)
class Style:
    """How pieces of one kind are played.

    Attributes:
        name: of the style.
        meter: `4/4`, `swing`, `3/4`, `6/8` (its beat is the dotted quarter) or `12/8`.
        slowest_bpm, fastest_bpm: the range of its tempo.
        drums: patterns (stroke -> row), used by the sections in turn.
        bass, comping: rows, used by the sections in turn.
        chords: `triad`, `seventh` or `power`.
        basses, compers, leads: voices that may play it.
        arpeggio: the comper plays the chord's notes one after the other.
        looseness_s: standard deviation of a stroke's time; 0 for machines.
    """

    name: str
    meter: str
    slowest_bpm: float
    fastest_bpm: float
    drums: tuple[dict[str, str], ...]
    bass: tuple[str, ...]
    comping: tuple[str, ...]
    chords: str = "triad"
    basses: tuple[Voice, ...] = (voices.finger_bass, voices.synth_bass)
    compers: tuple[Voice, ...] = (voices.piano, voices.electric_piano, voices.organ)
    leads: tuple[Voice, ...] = (voices.reed, voices.brass, voices.saw_lead, voices.strings)
    arpeggio: bool = False
    looseness_s: float = field(default=0.006)


BEATS_A_BAR = {"4/4": 4, "swing": 4, "3/4": 3, "6/8": 2, "12/8": 4}
_KEYS = (voices.piano, voices.electric_piano)
_GUITARS = (voices.plucked,)
_UPRIGHT = (voices.upright_bass,)

STYLES: tuple[Style, ...] = (
    Style(
        "ballad", "4/4", 58, 95,
        ({"kick": "8......?6.......", "snare": "....7.......7...", "hat": "5.4.5.4.5.4.5.4."},
         {"kick": "8.....5.8.5.....", "rim": "....6.......6...", "ride": "5...4...5...4..."}),
        ("R-------R---F---", "R-----------A---"), ("6-------5-------", "6---3---5---3---"),
        compers=(*_KEYS, voices.strings),
    ),
    Style(
        "hip hop", "4/4", 68, 108,
        ({"kick": "9..?..7..8......", "snare": "....8..?....8..?", "hat": "5355535553555355"},
         {"kick": "9......79.7.....", "clap": "....8.......8...", "hat": "5.4.5.435.4.5.44"}),
        ("R--.--R-.-R-....", "R-----.-R-O.--.."), ("5...........?...", "5-----..4-......"),
        chords="seventh", looseness_s=0.008,
    ),
    Style(
        "one drop", "4/4", 62, 92,
        ({"kick": "........9.......", "rim": "........8......?", "hat": "5..46..35..46..3"},
         {"kick": "7...7...7...7...", "snare": "........8.......", "hat": "4.5.4.5.4.5.4.5."}),
        ("R---..R-F---R-..", "..R-R---F-..A-.."), ("....6.......6...", "..5...5...5...5."),
        compers=(voices.organ, voices.piano),
    ),
    Style(
        "rock", "4/4", 84, 165,
        ({"kick": "9.......9.?.....", "snare": "....8.......8...", "hat": "6.4.6.4.6.4.6.4."},
         {"kick": "9.....7.8.......", "snare": "....8.......8.?.", "ride": "6.4.6.4.6.4.6.4."}),
        ("R-R-R-R-R-R-R-R-", "R---R-R-R---F-A-"), ("7---6-5-7---5---", "7-5-6-5-7-5-6-5-"),
        chords="power", compers=(voices.driven,), leads=(voices.driven, voices.saw_lead),
    ),
    Style(
        "pop", "4/4", 88, 150,
        ({"kick": "9.....6.9.......", "snare": "....8.......8...", "hat": "5.5.5.5.5.5.5.5."},
         {"kick": "9...6...9...6.6.", "clap": "....8.......8...", "shaker": "5353535353535353"}),
        ("R-----R-R---A---", "R-R-R-R-R-R-R-A-"), ("6-----5---5-----", "6---5---6---5---"),
        compers=(*_KEYS, voices.plucked, voices.organ),
    ),
    Style(
        "house", "4/4", 104, 140,
        ({"kick": "9...9...9...9...", "clap": "....7.......7...", "open": "..6...6...6...6."},
         {"kick": "9...9...9...9...", "hat": "54545454545454?5", "snare": "....5.......5..?"}),
        ("..R-..R-..R-..O-", "R-.R-.R-..R-.RO-"), ("..6...6.....6...", "6--5--4---......"),
        chords="seventh", basses=(voices.synth_bass,), leads=(voices.saw_lead,), looseness_s=0.0,
    ),
    Style(
        "trance", "4/4", 122, 145,
        ({"kick": "9...9...9...9...", "open": "..6...6...6...6.", "snare": "....4.......4..."},),
        (".RRR.RRR.RRR.RRR", "..R-..R-..R-..R-"), ("5454545454545454", "5.54.54.5.54.545"),
        arpeggio=True, compers=(voices.saw_lead, voices.electric_piano),
        basses=(voices.synth_bass,), leads=(voices.saw_lead, voices.strings), looseness_s=0.0,
    ),
    Style(
        "funk", "4/4", 86, 124,
        ({"kick": "9..?..6...7..?..", "snare": "....8..3.3..8..3", "hat": "6354635463546354"},),
        ("R..R..O.R.-F.RA.", "R-.O..R...R-FO.."), ("..5..5....5.5...", "5..5...5..5....."),
        chords="seventh", compers=(voices.electric_piano, voices.plucked, voices.organ),
        leads=(voices.brass, voices.reed),
    ),
    Style(
        "folk", "4/4", 68, 150,
        ({}, {"tambourine": "....5.......5..."}),
        ("R-------F-------", "R---F---R---A---"), ("6---5-5-.-5-5-5-", "7-4-5-4-6-4-5-4-"),
        basses=_UPRIGHT, compers=_GUITARS, leads=(voices.reed, voices.strings, voices.plucked),
        looseness_s=0.01,
    ),
    Style(
        "fingerpicked", "4/4", 60, 130,
        ({}, {}),
        ("R-------F-------", "R---------------"), ("6.4.5.4.6.4.5.4.", "64545454"),
        basses=_UPRIGHT, compers=(voices.plucked, voices.piano), leads=(voices.reed,),
        arpeggio=True, looseness_s=0.012,
    ),
    Style(
        "march", "4/4", 96, 142,
        ({"kick": "8...8...8...8...", "snare": "..6...6...6.6666"},
         {"kick": "8.......8.......", "snare": "....7.......7.44", "crash": "5..............."}),
        ("R---F---R---F---",), ("..6...6...6...6.", "..5...5...5...5."),
        compers=(voices.brass, voices.reed), leads=(voices.brass, voices.reed),
    ),
    Style(
        "bossa", "4/4", 100, 168,
        ({"kick": "8.....5.8.....5.", "rim": "6.....6.....6...", "shaker": "5353535353535353"},
         {"kick": "8.....5.8.....5.", "rim": "....6.....6.....", "hat": "4.4.4.4.4.4.4.4."}),
        ("R-----F-F-----R-",), ("6-....5-..5-....", "..5-..5-....5-.."),
        chords="seventh", basses=_UPRIGHT, compers=(voices.plucked, voices.electric_piano),
    ),
    Style(
        "breakbeat", "4/4", 156, 192,
        ({"kick": "9...?.....8.....", "snare": "....9..3.3..9..?", "hat": "6.5.6.5.6.5.6.5."},
         {"kick": "9.9.......8.....", "snare": "....9.......9...", "ride": "6...5...6...5..."}),
        ("R-------------A-", "R-----O---R-----"), ("5---------------", "......5.......4."),
        basses=(voices.synth_bass,), compers=(voices.strings, voices.electric_piano),
        leads=(voices.saw_lead, voices.reed), looseness_s=0.002,
    ),
    Style(
        "punk", "4/4", 150, 204,
        ({"kick": "9.......9.8.....", "snare": "....9.......9...", "hat": "7...7...7...7..."},
         {"kick": "9...9...9...9...", "snare": "....8.......8...", "open": "7...7...7...7..."}),
        ("R-R-R-R-R-R-R-R-",), ("7-6-7-6-7-6-7-6-", "8-------8-------"),
        chords="power", compers=(voices.driven,), leads=(voices.driven,),
    ),
    Style(
        "train", "4/4", 150, 204,
        ({"kick": "8.......8.......", "brush": "53735373537353?3", "snare": "..6...6...6...6."},),
        ("R---....F---....",), ("....6.......6...", "..5...5...5...5."),
        basses=_UPRIGHT, compers=(voices.plucked, voices.piano), leads=(voices.plucked,),
    ),
    Style(
        "jazz", "swing", 105, 204,
        ({"ride": "6..7.56..7.5", "hat": "...6.....6..", "kick": "3..3..3..3..",
          "snare": ".....?..?..?"},
         {"brush": "5..7..5..7..", "ride": "6..7.56..7.5", "hat": "...5.....5.."}),
        ("R--T--F--A--", "R--F--O--A--"), ("6....?..5...", ".....5-....4"),
        chords="seventh", basses=_UPRIGHT, compers=_KEYS, leads=(voices.reed, voices.brass),
        looseness_s=0.008,
    ),
    Style(
        "shuffle", "swing", 72, 145,
        ({"kick": "9.....9....?", "snare": "...8.....8..", "hat": "6.46.46.46.4"},
         {"kick": "9..7..9..7..", "snare": "...8.....8.3", "ride": "6.46.46.46.4"}),
        ("R-RF-FO-OF-F", "R--R--F--A--"), ("6.4...6.4...", "...6.....6.."),
        chords="seventh", compers=(voices.organ, voices.piano, voices.driven),
    ),
    Style(
        "slow swing", "swing", 58, 92,
        ({"ride": "6.56.56.56.5", "kick": "8.....6.....", "snare": "...7.....7.."},),
        ("R-----F--A--", "R--T--F--A--"), ("6--5-.......", "5-------4---"),
        chords="seventh", basses=_UPRIGHT, compers=(voices.organ, voices.piano),
    ),
    Style(
        "waltz", "3/4", 84, 204,
        ({"kick": "8.....", "snare": "..5.5.", "hat": "..4.4."},
         {"kick": "8.....", "brush": "..5.5."}, {}),
        ("R-....", "R---F-"), ("..6.6.", "..5.5?"),
        basses=_UPRIGHT, compers=(voices.piano, voices.strings, voices.plucked),
        leads=(voices.reed, voices.strings),
    ),
    Style(
        "slow three", "3/4", 58, 115,
        ({"kick": "8.....5.....", "snare": "....6...6...", "hat": "5.4.5.4.5.4."},
         {"kick": "8...........", "rim": "........6...", "ride": "5...4...4..."}),
        ("R-------F---", "R-----------"), ("6---4---4---", "6-4-4-4-4-4-"),
        compers=(*_KEYS, voices.plucked),
    ),
    Style(
        "six eight", "6/8", 58, 112,
        ({"kick": "9....5", "snare": "...8..", "hat": "655655"},
         {"kick": "9..6..", "rim": "...7..", "ride": "6.46.4"}),
        ("R----A", "R--F--"), ("6--5--", "654545"),
        compers=(*_KEYS, voices.plucked, voices.organ),
    ),
    Style(
        "jig", "6/8", 92, 142,
        ({"low_conga": "8.47.4", "tambourine": "6..6.."}, {"kick": "8..8..", "shaker": "635635"}),
        ("R--F--", "R--R--"), ("6.56.5", "6..5.5"),
        basses=_UPRIGHT, compers=_GUITARS, leads=(voices.reed, voices.strings),
    ),
    Style(
        "slow rock", "12/8", 56, 88,
        ({"kick": "9....5.?....", "snare": "...8.....8..", "hat": "655655655655"},),
        ("R--R-RF--F-A",), ("655655655655", "6-----5-----"),
        compers=(voices.piano, voices.organ),
    ),
)  # fmt: skip

PERCUSSION: tuple[Style, ...] = (
    Style(
        "samba", "4/4", 90, 140,
        ({"low_conga": "8...9...8...9...", "shaker": "6446644664466446",
          "bell": "6.6.66.6.6.66.6."},
         {"kick": "8..69..68..69..6", "tambourine": "6355635563556355",
          "conga": "..6..6....6.66.."}),
        (), (),
    ),
    Style(
        "rumba", "4/4", 66, 112,
        ({"rim": "7..7..7...7.7...", "conga": "5.46..855.46..85",
          "low_conga": "......7.......77"},),
        (), (),
    ),
    Style(
        "drum solo", "4/4", 80, 175,
        ({"kick": "9..5..7.9.5...7.", "snare": "..3.8.33.3.38.33", "hat": "6.5.6.5.6.5.6.5."},
         {"tom": "8.6.8.6.88668.6.", "kick": "9...9...9...9...", "crash": "7..............."}),
        (), (),
    ),
    Style(
        "techno", "4/4", 120, 150,
        ({"kick": "9...9...9...9...", "hat": "..7...7...7...7.", "clap": "....7.......7...",
          "rim": "...5..5...5..5.."},),
        (), (), looseness_s=0.0,
    ),
    Style(
        "drumline", "4/4", 140, 200,
        ({"snare": "8.4.6.4.8.4.6.4.", "kick": "9.......9.......", "tom": "....6.......6.6."},),
        (), (),
    ),
    Style(
        "bembe", "12/8", 60, 130,
        ({"bell": "7.7.77.7.7.7", "low_conga": "8..7..8..7..", "shaker": "644644644644",
          "conga": "..5..7..5.55"},),
        (), (),
    ),
)  # fmt: skip
