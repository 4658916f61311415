"""The model trained on the Million Song Dataset: last.fm's 50 most used tags. Pure.

The tags of each scale were chosen by the meaning of their words, not fitted. `worth` is our
judgement from 326 tracks of 26 games. Party, electronic, acoustic, energy and arousal separate the
arcade shooters' music from the orchestras' (AUC .97 to .99), and within one orchestra the battle
pieces from the calm ones by their titles (.66 to .85); aggressive and relaxed do so somewhat less.
Few tracks had voices. Happy and sad say little more than fast and slow, and valence depends on
happy. The model knows no classical music: it takes an orchestra for ambient or jazz.
"""

from services.analyzer.musicnn.models import Model, Reference, Scale
from services.analyzer.musicnn.msd_reference import SCALES, TAGS

MSD = Model(
    name="musicnn-msd",
    version="0.1.0-1",  # the package's and ours
    folder="MSD_musicnn",
    dimensions=420,  # maximum and mean over time of the 210 channels that vary, of 753
    tags=(
        "rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s",
        "alternative rock", "jazz", "beautiful", "metal", "chillout", "male vocalists",
        "classic rock", "soul", "indie rock", "Mellow", "electronica", "80s", "folk", "90s",
        "chill", "instrumental", "punk", "oldies", "blues", "hard rock", "ambient", "acoustic",
        "experimental", "female vocalist", "guitar", "Hip-Hop", "70s", "party", "country",
        "easy listening", "sexy", "catchy", "funk", "electro", "heavy metal", "Progressive rock",
        "60s", "rnb", "indie pop", "sad", "House", "happy",
    ),
    scales={
        "aggressive": Scale(
            ("metal", "heavy metal", "hard rock", "punk"),
            ("Mellow", "chillout", "easy listening", "beautiful"), 0.8,
        ),
        "relaxed": Scale(
            ("chillout", "chill", "Mellow", "easy listening", "beautiful"),
            ("metal", "hard rock", "punk", "party"), 0.8,
        ),
        "party": Scale(
            ("party", "dance", "House", "electro", "catchy"),
            ("ambient", "sad", "beautiful", "Progressive rock"), 0.9,
        ),
        "happy": Scale(("happy", "catchy", "party", "60s"), ("sad", "ambient", "metal"), 0.3),
        "sad": Scale(
            ("sad", "beautiful", "Mellow", "acoustic"), ("happy", "party", "dance", "punk"), 0.3
        ),
        "acoustic": Scale(
            ("acoustic", "folk", "country", "guitar"), ("electronic", "electro", "electronica"), 0.9
        ),
        "electronic": Scale(
            ("electronic", "electronica", "electro", "House", "dance"), ("acoustic", "folk"), 0.9
        ),
        "instrumental": Scale(
            ("instrumental", "ambient"),
            ("female vocalists", "male vocalists", "pop", "soul", "catchy"), 0.6,
        ),
        "energy": Scale(
            ("metal", "hard rock", "punk", "dance", "party", "House"),
            ("ambient", "Mellow", "acoustic", "beautiful", "sad", "easy listening"), 0.8,
        ),
        "valence": Scale(
            ("happy", "catchy", "party", "funk", "soul"),
            ("sad", "metal", "heavy metal", "ambient", "experimental"), 0.4,
        ),
        "arousal": Scale(
            ("party", "punk", "metal", "electro", "dance", "rock"),
            ("chill", "Mellow", "beautiful", "sad", "ambient", "acoustic"), 0.8,
        ),
    },
    genres={
        "rock": (
            "rock", "classic rock", "alternative rock", "hard rock", "Progressive rock",
            "indie rock", "alternative",
        ),
        "pop": ("pop", "indie pop"),
        "electronic": ("electronic", "electronica", "electro"),
        "dance": ("dance", "House"),
        "metal": ("metal", "heavy metal"),
        "hip-hop": ("Hip-Hop",),
        "jazz": ("jazz",),
        "soul": ("soul", "rnb"),
        "funk": ("funk",),
        "folk": ("folk",),
        "country": ("country",),
        "blues": ("blues",),
        "punk": ("punk",),
        "ambient": ("ambient",),
    },
    reference=Reference(tags=TAGS, scales=SCALES),
    dead_below=1e-6,
)  # fmt: skip
