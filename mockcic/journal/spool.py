"""Sounds as files: what devices recorded and what they were sent, under a cap, gone with the process."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import IO, Final

from mockcic.errors import StartError

PREFIX: Final = "mockcic-spool-"
LOCK: Final = "lock"

SPOOL_BYTES: Final = 256 * 1024 * 1024
"""How much sound is kept unless told otherwise (INF)."""

SEGMENT_BYTES: Final = 16 * 1024 * 1024
"""Short sounds share files of about this size: to make a file takes longer than to write 32 KB into one (INF)."""

HELD_BYTES: Final = 256 * 1024
"""A longer upload has a file of its own, written while it comes in; a shorter one is held until it is whole (INF)."""


WRITTEN_BYTES: Final = 256 * 1024
"""Sounds are written together when there is so much of them: a call takes as long as eight seconds of sound, and more
of them would leave the processor's cache before they are written (INF; a quarter faster than a megabyte)."""

REMEMBERED_BYTES: Final = 64 * 1024
"""Sounds up to this size have their digest remembered: a scenario sends the same few again and again (INF)."""

AT_ONCE: Final = 512
"""Pieces that one call writes; systems take 1,024 at the most (POSIX: 16 at least, Linux and macOS 1,024)."""


@dataclass(eq=False, slots=True)
class _File:
    """One file of the spool, and which sounds are in it: where each begins, and how long it is."""

    path: Path
    size: int = 0
    written: int = 0
    places: dict[str, tuple[int, int]] = field(default_factory=dict)


class Spool:
    """Keeps bytes by their digest; the oldest go when the cap is reached.

    The folder is made with the first sound. `folder` is where it is made (the system's folder for temporary files
    without it); with `keep` each sound is left behind as a file named by its digest. Folders of processes that were
    killed are removed by the next one that makes its own: each holds a lock as long as it lives.
    """

    def __init__(self, *, folder: Path | None = None, limit: int = SPOOL_BYTES, keep: bool = False) -> None:
        self.limit = limit
        self.bytes = 0
        self.dropped = 0
        """How many sounds went because newer ones came."""
        self._parent = folder
        self._keep = keep
        self._folder: Path | None = None
        self._remove: Callable[[], object] | None = None
        self._files: list[_File] = []
        self._where: dict[str, _File] = {}
        self._segment: _File | None = None
        self._writing: int | None = None
        self._unwritten: list[bytes] = []
        self._unwritten_bytes = 0
        self._lock = threading.RLock()
        self._count = 0

    def __len__(self) -> int:
        return len(self._where)

    @property
    def folder(self) -> Path | None:
        """Where the files are; None before the first."""
        return self._folder

    def keep(self, data: bytes) -> str:
        """Take bytes; returns their digest (SHA-256, hex)."""
        digest = _digest(data) if len(data) <= REMEMBERED_BYTES else sha256(data).hexdigest()
        self.take(digest, data)
        return digest

    def take(self, digest: str, *pieces: bytes) -> None:
        """Take bytes whose digest is known."""
        size = sum(map(len, pieces))
        if digest in self._where or size > self.limit:
            return
        with self._lock:
            try:
                segment = self._open_segment()
            except OSError:
                self.dropped += 1
                return
            self._unwritten += pieces
            self._unwritten_bytes += size
            self._add(segment, digest, size)
            if self._unwritten_bytes >= WRITTEN_BYTES:
                self._write()
            if segment.size >= min(SEGMENT_BYTES, self.limit // 4):
                self._close_segment()

    def open(self) -> None:
        """Make the folder now, where one was named. Raises `StartError` when nothing can be kept there."""
        if self._parent is None:
            return
        try:
            self._open()
        except OSError as error:
            raise StartError(f"cannot keep sounds in {self._parent}: {error.strerror}; see --spool") from None

    def begin(self) -> Recording:
        """A sound that is still coming in."""
        return Recording(self)

    def get(self, digest: str) -> bytes | None:
        """The bytes of a digest; None when they were never kept, or are gone. From any thread."""
        with self._lock:
            self._write()
            file = self._where.get(digest)
            if file is None:
                return None
            start, size = file.places[digest]
        try:
            with file.path.open("rb") as reading:
                reading.seek(start)
                return reading.read(size)
        except OSError:
            return None

    def close(self) -> None:
        """Leave nothing behind, unless asked to keep it: then each sound as a file named by its digest."""
        self._close_segment()
        if self._folder is not None:
            if self._remove is None:
                self._spread(self._folder)
            else:
                self._remove()
        self._folder = self._remove = None
        self._files.clear()
        self._where.clear()
        self.bytes = 0

    def _spread(self, folder: Path) -> None:
        for digest in list(self._where):
            if (data := self.get(digest)) is not None:
                (folder / digest).write_bytes(data)
        for file in self._files:
            file.path.unlink(missing_ok=True)

    # ------------------------------------------------------------------ files

    def _open(self) -> Path:
        if self._folder is None:
            if self._parent is not None:
                self._parent.mkdir(parents=True, exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=self._parent))
            if not self._keep:
                lock = (self._folder / LOCK).open("wb")
                fcntl.flock(lock, fcntl.LOCK_EX)
                self._remove = weakref.finalize(self, _remove, self._folder, lock)  # also when nobody closes it
            sweep(self._folder.parent)
            self._folder.mkdir(exist_ok=True)  # another process may have swept it in the moment before the lock
        return self._folder

    def new_file(self) -> Path:
        """The path of a file that is not there yet."""
        self._count += 1
        return self._open() / f"{self._count:06d}.pcm"

    def _open_segment(self) -> _File:
        if self._segment is None:
            self._segment = _File(self.new_file())
            self._files.append(self._segment)
            self._writing = os.open(self._segment.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return self._segment

    def _write(self) -> None:
        """Write what is still in memory. From any thread: who reads a sound may be another one."""
        with self._lock:
            pieces, self._unwritten, self._unwritten_bytes = self._unwritten, [], 0
            segment = self._segment
            if not pieces or segment is None or self._writing is None:
                return
            try:
                for start in range(0, len(pieces), AT_ONCE):
                    self._write_all(segment, self._writing, pieces[start : start + AT_ONCE])
            except OSError:  # the disk is full: what was not written was not kept
                self._forget_unwritten(segment)

    @staticmethod
    def _write_all(segment: _File, descriptor: int, pieces: Sequence[bytes]) -> None:
        written = os.writev(descriptor, pieces)
        segment.written += written
        if written < sum(map(len, pieces)):
            rest = memoryview(b"".join(pieces))[written:]
            while rest:
                written = os.write(descriptor, rest)
                segment.written += written
                rest = rest[written:]

    def _forget_unwritten(self, segment: _File) -> None:
        for digest, (start, size) in list(segment.places.items()):
            if start + size > segment.written:
                del segment.places[digest], self._where[digest]
                self.dropped += 1
        self.bytes -= segment.size - segment.written
        segment.size = segment.written
        self._close_segment()

    def _close_segment(self) -> None:
        self._write()
        if self._writing is not None:
            os.close(self._writing)
        self._segment = self._writing = None

    def adopt(self, path: Path, digest: str, size: int) -> None:
        """Take a file that `new_file` named and that is whole."""
        with self._lock:
            if digest in self._where:
                path.unlink(missing_ok=True)
                return
            file = _File(path)
            self._files.append(file)
            self._add(file, digest, size)

    def _add(self, file: _File, digest: str, size: int) -> None:
        file.places[digest] = (file.size, size)
        file.size += size
        self._where[digest] = file
        self.bytes += size
        while self.bytes > self.limit and self._files[0] is not file:
            self._drop(self._files.pop(0))

    def _drop(self, file: _File) -> None:
        if file is self._segment:
            self._close_segment()
        for digest in file.places:
            del self._where[digest]
        self.bytes -= file.size
        self.dropped += len(file.places)
        file.path.unlink(missing_ok=True)


class Recording:
    """One sound while it comes in: held in memory at first, then written to a file of its own as it comes."""

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
        try:
            if self._file is not None:
                self._file.write(data)
                return
            self._held.append(data)
            if self._size > HELD_BYTES:
                self._path = self._spool.new_file()
                self._file = self._path.open("wb")
                self._file.writelines(self._held)
                self._held.clear()
        except OSError:  # the disk is full, or the folder is gone: the event goes on without its sound
            self._give_up()

    def finish(self, digest: str) -> None:
        """It is whole, and this is its digest."""
        if self._file is not None and self._path is not None:
            try:
                self._file.close()
            except OSError:
                self._give_up()
                return
            self._file = None
            self._spool.adopt(self._path, digest, self._size)
        elif not self._too_long:
            self._spool.take(digest, *self._held)
        self._held.clear()

    def _give_up(self) -> None:
        self._too_long = True
        self._spool.dropped += 1
        self.drop()

    def drop(self) -> None:
        """Nobody wants it; harmless after `finish`."""
        self._held.clear()
        if self._file is not None and self._path is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None
            self._path.unlink(missing_ok=True)


@lru_cache(maxsize=64)
def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def _remove(folder: Path, lock: IO[bytes]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    lock.close()


def sweep(folder: Path) -> None:
    """Remove the spools of processes that are gone without a word: those whose lock nobody holds."""
    for each in folder.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), (each / LOCK).open("rb") as lock:
            if os.fstat(lock.fileno()).st_uid != os.getuid():
                continue
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # held by the living: BlockingIOError
            shutil.rmtree(each, ignore_errors=True)


__all__ = ["Recording", "Spool", "sweep"]
