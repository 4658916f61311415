"""Which folders lie on a network: the kernel tells nothing of what other hosts change there."""

import os
from collections.abc import Iterator
from pathlib import Path

_NETWORK = frozenset(
    (
        "9p", "afs", "ceph", "cifs", "coda", "davfs", "drvfs", "fuse.curlftpfs", "fuse.davfs2",
        "fuse.glusterfs", "fuse.gvfsd-fuse", "fuse.rclone", "fuse.s3fs", "fuse.smbnetfs",
        "fuse.sshfs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "prl_fs", "smb3", "smbfs",
        "vboxsf", "virtiofs", "vmhgfs",
    )
)  # fmt: skip
"""File systems' names, as `/proc/self/mountinfo` has them."""


def network_mount(root: str, mounts: str | None = None) -> str | None:
    """The network file system that a folder lies on or has below it, like "nfs4 at /srv/music".

    Args:
        root: the folder, whose links are followed.
        mounts: what `/proc/self/mountinfo` says (see proc(5)); it is read where left out.
    """
    try:
        told = (
            Path("/proc/self/mountinfo").read_text(errors="surrogateescape")
            if mounts is None
            else mounts
        )
    except OSError:
        return None  # not Linux: nothing is known
    real = os.path.realpath(root)
    around, below = "", None
    found = None
    for place, kind in _mounts(told):
        if _is_within(real, place) and len(place) >= len(around):
            around, found = place, f"{kind} at {place}" if kind in _NETWORK else None
        elif _is_within(place, real) and kind in _NETWORK:
            below = f"{kind} at {place}"
    return found or below


def _mounts(told: str) -> Iterator[tuple[str, str]]:
    for line in told.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) > 4 and after:
            # White space and backslashes in names are octal.
            plain = os.fsencode(fields[4]).decode("unicode_escape")
            yield os.fsdecode(plain.encode("latin-1")), after.split(" ")[0]


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
