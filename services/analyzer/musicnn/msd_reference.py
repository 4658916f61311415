"""The model's output for reference music.

Made by `make_msd_reference.py`, which says how, from these 326 tracks:
a7xpg-data (3), asc-music (3), btanks-data (10), colobot-common-sounds (19), extremetuxracer-data
(6), fillets-ng-data (11), frozen-bubble-data (3), gunroar-data (4), hedgewars-data (26),
hyperrogue-music (17), lincity-ng-data (3), lugaru-data (7), megaglest-data (16), mu-cade-data
(4), noiz2sa-data (7), parsec47-data (4), rrootage-data (3), singularity-music (16), supertux-data
(47), titanion-data (3), torus-trooper-data (4), tumiki-fighters-data (5), warzone2100-music (30),
widelands-data (31), xmoto-data (7), wesnoth (37).
"""

TAGS = {
    # logit: mean, deviation; mean probability
    "rock": (-1.527, 0.59, 0.2036),
    "pop": (-2.284, 0.612, 0.1125),
    "alternative": (-2.667, 0.532, 0.078),
    "indie": (-2.58, 0.674, 0.0939),
    "electronic": (-3.248, 1.902, 0.1181),
    "female vocalists": (-2.806, 0.63, 0.0751),
    "dance": (-4.274, 1.666, 0.0488),
    "00s": (-4.284, 0.443, 0.0155),
    "alternative rock": (-3.719, 0.718, 0.034),
    "jazz": (-3.776, 1.275, 0.057),
    "beautiful": (-4.396, 0.723, 0.0162),
    "metal": (-4.775, 1.215, 0.0206),
    "chillout": (-4.221, 1.133, 0.0306),
    "male vocalists": (-4.415, 0.457, 0.0137),
    "classic rock": (-3.605, 1.004, 0.0457),
    "soul": (-3.758, 0.976, 0.0417),
    "indie rock": (-3.818, 0.749, 0.033),
    "Mellow": (-4.509, 0.865, 0.016),
    "electronica": (-4.549, 1.695, 0.033),
    "80s": (-3.741, 0.809, 0.0378),
    "folk": (-3.656, 1.092, 0.0465),
    "90s": (-3.925, 0.531, 0.024),
    "chill": (-4.817, 0.672, 0.0108),
    "instrumental": (-4.074, 1.19, 0.0354),
    "punk": (-4.348, 0.955, 0.0255),
    "oldies": (-4.771, 1.209, 0.0224),
    "blues": (-4.006, 1.255, 0.0435),
    "hard rock": (-4.438, 1.0, 0.0224),
    "ambient": (-4.856, 1.693, 0.0344),
    "acoustic": (-4.436, 1.059, 0.0239),
    "experimental": (-4.055, 1.084, 0.0334),
    "female vocalist": (-4.973, 0.573, 0.0091),
    "guitar": (-4.579, 0.844, 0.0159),
    "Hip-Hop": (-5.161, 1.49, 0.0196),
    "70s": (-4.418, 1.053, 0.022),
    "party": (-5.635, 0.986, 0.0065),
    "country": (-4.632, 1.413, 0.0303),
    "easy listening": (-5.041, 0.948, 0.0104),
    "sexy": (-5.289, 0.671, 0.0067),
    "catchy": (-5.338, 0.463, 0.0056),
    "funk": (-4.561, 0.987, 0.0208),
    "electro": (-5.461, 1.938, 0.0227),
    "heavy metal": (-5.372, 1.214, 0.0116),
    "Progressive rock": (-3.907, 0.947, 0.0318),
    "60s": (-4.792, 1.222, 0.0213),
    "rnb": (-5.221, 0.97, 0.0108),
    "indie pop": (-4.56, 0.703, 0.0155),
    "sad": (-5.406, 0.918, 0.0068),
    "House": (-5.914, 1.909, 0.0142),
    "happy": (-5.701, 0.532, 0.0041),
}
SCALES = {
    # deviation of the sum
    "aggressive": 1.2406,
    "relaxed": 1.2392,
    "party": 1.4631,
    "happy": 1.2289,
    "sad": 1.4196,
    "acoustic": 1.7606,
    "electronic": 1.743,
    "instrumental": 1.2147,
    "energy": 1.1957,
    "valence": 1.2917,
    "arousal": 1.1404,
}
