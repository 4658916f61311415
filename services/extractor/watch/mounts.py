"""Finds network file systems: the kernel reports no changes that other hosts make there."""

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
"""Names of file systems, as in `/proc/self/mountinfo`."""


def network_mount(root: str, mountinfo: str | None = None) -> str | None:
    """The network file system that a folder lies on or has below it, like "nfs4 at /srv/music".

    Args:
        root: the folder; its links are followed.
        mountinfo: content of `/proc/self/mountinfo` (see proc(5)), which is read by default.
    """
    if mountinfo is None:
        try:
            mountinfo = Path("/proc/self/mountinfo").read_text(errors="surrogateescape")
        except OSError:
            return None  # not Linux: mounts are unknown
    real = os.path.realpath(root)
    innermost, above, below = "", None, None
    for mount_point, file_system in _mounts(mountinfo):
        is_network = file_system in _NETWORK
        # Of the mounts around the folder the innermost counts; of equal ones the last, which hides
        # the others.
        if _contains(mount_point, real) and len(mount_point) >= len(innermost):
            innermost = mount_point
            above = f"{file_system} at {mount_point}" if is_network else None
        elif _contains(real, mount_point) and is_network:
            below = f"{file_system} at {mount_point}"
    return above or below


def _mounts(mountinfo: str) -> Iterator[tuple[str, str]]:
    """Mount point and file system of each line."""
    for line in mountinfo.splitlines():
        # The number of fields before " - " varies; the file system is the first one after it.
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) > 4 and after:
            # White space and backslashes in names are octal escapes.
            unescaped = os.fsencode(fields[4]).decode("unicode_escape")
            yield os.fsdecode(unescaped.encode("latin-1")), after.split(" ")[0]


def _contains(folder: str, path: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
