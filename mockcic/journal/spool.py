"""Sounds as files: what devices recorded and what they were sent, under a cap, gone with the process."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections import OrderedDict
from hashlib import sha256
from pathlib import Path
from typing import IO, Final

PREFIX: Final = "mockcic-spool-"
LOCK: Final = "lock"

SPOOL_BYTES: Final = 256 * 1024 * 1024
"""How much sound is kept unless told otherwise (INF)."""

HELD_BYTES: Final = 256 * 1024
"""A longer upload is written to its file while it comes in; a shorter one in one piece (INF)."""


class Spool:
    """Keeps bytes by their digest; the oldest go when the cap is reached.

    The folder is made with the first sound. `folder` is where it is made (the system's folder for temporary files
    without it); `keep` leaves it behind. Folders of processes that were killed are removed by the next one that makes
    its own: each holds a lock as long as it lives.
    """

    def __init__(self, *, folder: Path | None = None, limit: int = SPOOL_BYTES, keep: bool = False) -> None:
        self.limit = limit
        self.bytes = 0
        self.dropped = 0
        """How many sounds went because newer ones came."""
        self._parent = folder
        self._keep = keep
        self._folder: Path | None = None
        self._lock: IO[bytes] | None = None
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._parts = 0

    def __len__(self) -> int:
        return len(self._sizes)

    @property
    def folder(self) -> Path | None:
        """Where the files are; None before the first."""
        return self._folder

    def keep(self, data: bytes) -> str:
        """Take bytes; returns their digest (SHA-256, hex)."""
        digest = sha256(data).hexdigest()
        self._take(digest, data)
        return digest

    def begin(self) -> Recording:
        """A sound that is still coming in."""
        return Recording(self)

    def path(self, digest: str) -> Path | None:
        """The file of a digest; None when it was never kept, or is gone."""
        if digest in self._sizes and self._folder is not None:
            return self._folder / digest
        return None

    def get(self, digest: str) -> bytes | None:
        """The bytes of a digest; None when they were never kept, or are gone."""
        path = self.path(digest)
        try:
            return None if path is None else path.read_bytes()
        except OSError:
            return None

    def close(self) -> None:
        """Leave nothing behind, unless asked to keep it."""
        if self._folder is not None and not self._keep:
            shutil.rmtree(self._folder, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()
        self._folder = self._lock = None
        self._sizes.clear()
        self.bytes = 0

    # ------------------------------------------------------------------ files

    def _open(self) -> Path:
        if self._folder is None:
            if self._parent is not None:
                self._parent.mkdir(parents=True, exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=self._parent))
            if not self._keep:
                self._lock = (self._folder / LOCK).open("wb")
                fcntl.flock(self._lock, fcntl.LOCK_EX)
            sweep(self._folder.parent)
            self._folder.mkdir(exist_ok=True)  # another process may have swept it in the moment before the lock
        return self._folder

    def _take(self, digest: str, data: bytes) -> None:
        if self._knows(digest) or len(data) > self.limit:
            return
        (self._open() / digest).write_bytes(data)
        self._add(digest, len(data))

    def _knows(self, digest: str) -> bool:
        if digest in self._sizes:
            self._sizes.move_to_end(digest)
            return True
        return False

    def _add(self, digest: str, size: int) -> None:
        self._sizes[digest] = size
        self.bytes += size
        while self.bytes > self.limit:
            oldest, gone = self._sizes.popitem(last=False)
            self.bytes -= gone
            self.dropped += 1
            if self._folder is not None:
                (self._folder / oldest).unlink(missing_ok=True)

    def _part(self) -> Path:
        self._parts += 1
        return self._open() / f"part-{self._parts}"


class Recording:
    """One sound while it comes in: held in memory at first, then written to a file as it comes."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._held: list[bytes] = []
        self._size = 0
        self._path: Path | None = None
        self._file: IO[bytes] | None = None
        self._too_long = False

    def feed(self, data: bytes) -> None:
        """The next bytes."""
        self._size += len(data)
        if self._too_long:
            return
        if self._size > self._spool.limit:
            self._too_long = True
            self.drop()
            return
        if self._file is not None:
            self._file.write(data)
            return
        self._held.append(data)
        if self._size > HELD_BYTES:
            self._path = self._spool._part()
            self._file = self._path.open("wb")
            self._file.writelines(self._held)
            self._held.clear()

    def finish(self, digest: str) -> None:
        """It is whole, and this is its digest."""
        if self._file is None or self._path is None:
            if not self._too_long:
                self._spool._take(digest, b"".join(self._held))
            self._held.clear()
            return
        self._file.close()
        self._file = None
        if self._spool._knows(digest) or self._spool.folder is None:
            self._path.unlink(missing_ok=True)
        else:
            self._path.rename(self._path.with_name(digest))
            self._spool._add(digest, self._size)

    def drop(self) -> None:
        """Nobody wants it; harmless after `finish`."""
        self._held.clear()
        if self._file is not None and self._path is not None:
            self._file.close()
            self._file = None
            self._path.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove the spools of processes that are gone without a word: those whose lock nobody holds."""
    for each in folder.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), (each / LOCK).open("rb") as lock:
            if os.fstat(lock.fileno()).st_uid != os.getuid():
                continue
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # held by the living: BlockingIOError
            shutil.rmtree(each, ignore_errors=True)


__all__ = ["Recording", "Spool", "sweep"]
