#!/usr/bin/env bash
# pyrekordbox makes a relative path of every location in a rekordbox XML that was exported on macOS.
#
# Behaviour (pyrekordbox 0.5.0): a track with Location="file://localhost/Users/ann/Music/a.mp3", which is rekordbox's
# form on macOS, has track["Location"] == "Users/ann/Music/a.mp3". Of "file://localhost/C:/Users/ann/a.mp3" it makes
# "C:/Users/ann/a.mp3", which is right, and of its own "file://localhost//music/a.mp3" (two slashes) "/music/a.mp3".
#
# Why a good guess is wrong: RFC 8089 and every URL library say that the path of file://localhost/Users is /Users, and
# the XML itself is read and written back without a change. The path is valid, so opening it only says that there is no
# such file, wherever the program happens to run; on Windows all is well.
#
# Exits non-zero if the behaviour changed.
set -eu
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT
python3 -m venv "$DIR/venv"
"$DIR/venv/bin/pip" -q install pyrekordbox==0.5.0
cd "$DIR"
"$DIR/venv/bin/python" - <<'PY'
import sys
from importlib.metadata import version
from urllib.parse import urlsplit

from pyrekordbox.rbxml import RekordboxXml

print("python", sys.version.split()[0], "pyrekordbox", version("pyrekordbox"))
URLS = (
    "file://localhost/Users/ann/Music/a.mp3",
    "file://localhost/C:/Users/ann/a.mp3",
    "file://localhost//music/a.mp3",
)
tracks = "".join(f'<TRACK TrackID="{n}" Name="N" Location="{url}"/>' for n, url in enumerate(URLS))
with open("rekordbox.xml", "w") as file:
    file.write('<?xml version="1.0" encoding="UTF-8"?><DJ_PLAYLISTS Version="1.0.0"><PRODUCT Name="rekordbox"'
               f' Version="6.0.0" Company="Pioneer DJ"/><COLLECTION Entries="{len(URLS)}">{tracks}</COLLECTION>'
               '<PLAYLISTS><NODE Type="0" Name="ROOT" Count="0"/></PLAYLISTS></DJ_PLAYLISTS>')
collection = RekordboxXml("rekordbox.xml")
found = [collection.get_track(number)["Location"] for number in range(len(URLS))]
for url, path in zip(URLS, found):
    print(f"{url:42} -> {path:25} (urlsplit: {urlsplit(url).path})")
sys.exit(0 if found == ["Users/ann/Music/a.mp3", "C:/Users/ann/a.mp3", "/music/a.mp3"] else 1)
PY
