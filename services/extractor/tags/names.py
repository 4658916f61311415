"""Names that look like several artists and are one, and what stands between artists. Pure."""

JOINS = ("&", "with", "vs", "vs.", "versus", "x", "presents", "pres.")
"""What joins artists and may be part of a name, beside a comma in lists."""

WHOLE_NAMES = frozenset(
    """\
ac / dc
ac/dc
ac;dc
above & beyond
above / below
althea & donna
aly & aj
amadou & mariam
angus & julia stone
ashford & simpson
belle & sebastian
big & rich
blood, sweat & tears
brooks & dunn
captain & tennille
charles & eddie
chas & dave
chase & status
coheed & cambria
crosby, stills & nash
crosby, stills, nash & young
dan & shay
daryl hall & john oates
dave dee, dozy, beaky, mick & tich
dead & company
dimitri vegas & like mike
earth, wind & fire
earth, wind and fire
emerson, lake & palmer
emerson, lake and palmer
eric b. & rakim
gilbert & sullivan
hall & oates
ike & tina turner
iron & wine
jan & dean
kruder & dorfmeister
lambert, hendricks & ross
love / hate
man with a mission
marcus & martinus
matt & kim
mcfadden & whitehead
medeski, martin & wood
mumford & sons
n / a
nico & vinz
of mice & men
peaches & herb
peter, paul & mary
peter, paul and mary
rhythm & sound
run with the hunted
sam & dave
seals & crofts
she & him
simon & garfunkel
sleeping with sirens
sly & robbie
sonny & cher
tegan & sara
tyler, the creator
wisin & yandel
womack & womack
years & years
zager & evans
zion & lennox
""".splitlines()
)
"""In lower case. Further ones come from the settings."""
