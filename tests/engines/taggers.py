"""Programs that write and read tags, to compare with ours: from PyPI, npm, Debian and Cargo.

`make engines` fetches them into `.engines/taggers`. They run as processes of their own: some have
the GPL, which is fine for a tool of the tests, and would not be for a part of the product.
"""

import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from tests.engines.jars import FOLDER
from tests.fetch_debian import NotFetched, unpack

_FOLDER = FOLDER / "taggers"
_PROGRAMS = Path(__file__).parent / "tagger_programs"
_FROM_PYPI = ("pytaglib==3.2.0", "mediafile==0.17.0", "eyed3==0.9.9")
_FROM_NPM = ("node-taglib-sharp@6.0.3", "music-metadata@11.16.1", "node-id3@0.2.9",
             "browser-id3-writer@6.4.0")  # fmt: skip
_FROM_DEBIAN = {
    "id3v2": ("id3v2", "libid3-3.8.3v5", "libid3-3.8.3v5t64"),
    "metaflac": ("flac", "libflac12", "libflac14", "libogg0"),
    "vorbiscomment": ("vorbis-tools", "libvorbis0a", "libvorbisenc2", "libogg0"),
    "AtomicParsley": ("atomicparsley",),
    "wvtag": ("wavpack", "libwavpack1"),
}
"""By program: its package, and those of the libraries that it needs; a release has one of each."""
_TIMEOUT_S = 300
Values = dict[str, Any]


class Program(NamedTuple):
    """A tagger or reader, of the name that the document has."""

    name: str
    run: Callable[[Sequence[Path], Values], dict[str, Any]]
    """Writes the values into the files, or reads them: the results by path, None if refused."""


def fetch_pypi() -> Path:
    """The Python that has the programs of PyPI.

    Raises:
        NotFetched: they cannot be installed here; some have no wheel for ARM.
    """
    folder = _FOLDER / "python"
    python = folder / "bin" / "python"
    if not (folder / ".complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        _run([python, "-m", "pip", "install", "--quiet", "--only-binary=:all:", *_FROM_PYPI])
        (folder / ".complete").touch()
    return python


def fetch_npm() -> Path:
    """The program for Node, beside the packages that it needs.

    Raises:
        NotFetched: there is no Node here, or no npm registry.
    """
    folder = _FOLDER / "node"
    if not (folder / ".complete").exists():
        npm = shutil.which("npm")
        if npm is None or shutil.which("node") is None:
            raise NotFetched("there is no Node here")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        _run([npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder,
              *_FROM_NPM])  # fmt: skip
        (folder / ".complete").touch()
    # Node looks for packages beside the program.
    shutil.copy(_PROGRAMS / "node_taggers.mjs", folder)
    return folder / "node_taggers.mjs"


def fetch_crate() -> Path:
    """The program that writes tags by the crate lofty, built if it is missing, in a minute or two.

    Raises:
        NotFetched: there is no Cargo here, or it cannot build it.
    """
    target = _FOLDER / "rust"
    program = target / "debug" / "lofty-tagger"
    if not program.exists():
        cargo = shutil.which("cargo")
        if cargo is None:
            raise NotFetched("there is no Cargo here")
        manifest = _PROGRAMS / "lofty_tagger" / "Cargo.toml"
        _run([cargo, "build", "--quiet", "--locked", "--manifest-path", manifest, "--target-dir",
              target])  # fmt: skip
    return program


def fetch_debian(program: str) -> Path:
    """The folder with a program of Debian, and its libraries.

    Raises:
        NotFetched: there is no apt here, or the program does not start.
    """
    folder = _FOLDER / "debian" / program
    if not (folder / ".complete").exists():
        package, *libraries = _FROM_DEBIAN[program]
        unpack(package, folder / package)
        for library in libraries:
            try:
                unpack(library, folder / library)
            except NotFetched:  # another release has it under another name, or it is installed
                continue
        (folder / ".complete").touch()
    return folder


def _run(command: Sequence[Any]) -> None:
    try:
        done = subprocess.run(
            list(map(str, command)), capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NotFetched(f"{Path(command[0]).name} took too long") from error
    if done.returncode:
        last = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise NotFetched(f"{Path(command[0]).name}: {last}")


def by_script(job: str, name: str, command: Sequence[str]) -> Program:
    """A tagger or reader that a script runs for all files at once."""

    def run(files: Sequence[Path], values: Values) -> dict[str, Any]:
        request = json.dumps({"values": values, "files": list(map(str, files))})
        done = subprocess.run(
            [*command, job, name], input=request, capture_output=True, text=True,
            timeout=_TIMEOUT_S, check=True,
        )  # fmt: skip
        results: dict[str, Any] = json.loads(done.stdout)
        return results

    return Program(name, run)


def taggers() -> tuple[list[Program], list[str]]:
    """The taggers that can be had, and why the others cannot."""
    found: list[Program] = []
    missing: list[str] = []
    fetches: list[Callable[[], list[Program]]] = [_pypi_taggers, _npm_taggers, _crate_tagger]
    fetches += [partial(_debian, name) for name in _FROM_DEBIAN]
    for fetch in fetches:
        try:
            found += fetch()
        except NotFetched as error:
            missing.append(str(error))
    return found, missing


def reader(name: str) -> Program:
    """A reader: taglib, mediafile or music-metadata.

    Raises:
        NotFetched: it cannot be had here.
    """
    if name == "music-metadata":
        return by_script("read", name, ["node", str(fetch_npm())])
    return by_script("read", name, [str(fetch_pypi()), str(_PROGRAMS / "python_taggers.py")])


def _pypi_taggers() -> list[Program]:
    script = [str(fetch_pypi()), str(_PROGRAMS / "python_taggers.py")]
    names = ("taglib", "mediafile", "eyed3")
    return [by_script("write", name, script) for name in names]


def _npm_taggers() -> list[Program]:
    names = ("node-taglib-sharp", "node-id3", "browser-id3-writer")
    return [by_script("write", name, ["node", str(fetch_npm())]) for name in names]


def _crate_tagger() -> list[Program]:
    program = fetch_crate()

    def run(files: Sequence[Path], values: Values) -> dict[str, Any]:
        texts = [values["title"], ";".join(values["artists"]), values["album"],
                 values["album_artist"], values["date"], ";".join(values["genres"]),
                 values["cover"]]  # fmt: skip
        done = subprocess.run(
            [program, *texts, *files], capture_output=True, text=True, timeout=60, check=True
        )
        return dict.fromkeys(done.stdout.splitlines(), True)

    return [Program("lofty", run)]


def _debian(name: str) -> list[Program]:
    folder = fetch_debian(name)
    program = next(folder.glob(f"*/usr/bin/{name}"), None)
    libraries = ":".join({str(path.parent) for path in folder.rglob("*.so*")})
    environment = {**os.environ, "LD_LIBRARY_PATH": libraries}
    if program is None or _status([str(program), "--version"], environment) == _NOT_STARTED:
        raise NotFetched(f"{name} does not start here")

    def run(files: Sequence[Path], values: Values) -> dict[str, Any]:
        suffixes, arguments = _DEBIAN_TAGGERS[name]
        done: dict[str, Any] = {}
        for path in files:
            command = [str(program), *arguments(path, values)]
            is_done = path.suffix in suffixes and _status(command, environment) == 0
            done[str(path)] = True if is_done else None
        return done

    return [Program(name, run)]


_NOT_STARTED = 127


def _status(command: Sequence[str], environment: dict[str, str]) -> int:
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
        timeout=60, check=False,
    )  # fmt: skip
    return done.returncode


def _comments(values: Values) -> list[str]:
    """Vorbis comments of all values."""
    named = [("TITLE", values["title"]), ("ALBUM", values["album"]), ("DATE", values["date"]),
             ("ALBUMARTIST", values["album_artist"]), ("TRACKNUMBER", "3"), ("TRACKTOTAL", "12"),
             ("DISCNUMBER", "1"), ("DISCTOTAL", "2")]  # fmt: skip
    named += [("ARTIST", artist) for artist in values["artists"]]
    named += [("GENRE", genre) for genre in values["genres"]]
    return [f"{name}={value}" for name, value in named]


def _id3v2(path: Path, values: Values) -> list[str]:
    return ["-t", values["title"], "-a", "Ann Lee; Ben Ox", "-A", values["album"], "-T", "3/12",
            "-y", values["date"][:4], "--TPE2", values["album_artist"], "--TPOS", "1/2",
            "--TCON", values["genres"][0], str(path)]  # fmt: skip


def _metaflac(path: Path, values: Values) -> list[str]:
    tags = [f"--set-tag={comment}" for comment in _comments(values)]
    return ["--no-utf8-convert", *tags, f"--import-picture-from={values['cover']}", str(path)]


def _vorbiscomment(path: Path, values: Values) -> list[str]:
    tags = [part for comment in _comments(values) for part in ("-t", comment)]
    return ["-R", "-w", *tags, str(path)]


def _atomicparsley(path: Path, values: Values) -> list[str]:
    return [str(path), "--title", values["title"], "--artist", "Ann Lee; Ben Ox", "--album",
            values["album"], "--albumArtist", values["album_artist"], "--tracknum", "3/12",
            "--disk", "1/2", "--year", values["date"], "--genre", values["genres"][0],
            "--artwork", values["cover"], "--overWrite"]  # fmt: skip


def _wvtag(path: Path, values: Values) -> list[str]:
    named = {"Title": values["title"], "Artist": "Ann Lee; Ben Ox", "Album": values["album"],
             "Album Artist": values["album_artist"], "Track": "3/12", "Disc": "1/2",
             "Year": values["date"], "Genre": values["genres"][0]}  # fmt: skip
    tags = [part for name, value in named.items() for part in ("-w", f"{name}={value}")]
    return ["-q", "-y", *tags, "--write-binary-tag", f"Cover Art (Front)=@{values['cover']}",
            str(path)]  # fmt: skip


_DEBIAN_TAGGERS = {
    "id3v2": ((".mp3",), _id3v2),
    "metaflac": ((".flac",), _metaflac),
    "vorbiscomment": ((".ogg",), _vorbiscomment),
    "AtomicParsley": ((".m4a",), _atomicparsley),
    "wvtag": ((".wv",), _wvtag),
}


if __name__ == "__main__":
    for reason in taggers()[1]:
        sys.stdout.write(f"taggers: {reason}\n")
