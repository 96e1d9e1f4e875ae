"""Uploads as WAV files in a folder of the user's, for ears and for other tools."""

from __future__ import annotations

import logging
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from mockcic.errors import StartError
from mockcic.journal.entry import Entry
from mockcic.journal.spool import Spool
from mockcic.sound.make import wav

logger = logging.getLogger("mockcic.server")


class SavedAudio:
    """A listener of the journal that writes each upload's sound, in a thread of its own. Raises `StartError`.

    The files are named by time (UTC), device and dialogue; those of one name differ by the entry's number.
    """

    def __init__(self, folder: Path, spool: Spool) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StartError(f"cannot save sounds in {folder}: {error.strerror}; see --save-audio") from None
        self._folder = folder
        self._spool = spool
        self._thread = ThreadPoolExecutor(1, "mockcic-saved")
        self._failed = False

    def entry(self, entry: Entry) -> None:
        """Something happened."""
        if entry.kind == "upload" and entry.data.get("bytes"):
            self._thread.submit(self._save, entry)

    def _save(self, entry: Entry) -> None:
        data = self._spool.get(str(entry.data["sha256"]))
        if data is None:
            return
        try:
            (self._folder / name_of(entry)).write_bytes(wav(data[: len(data) & ~1]))
        except OSError as error:
            if not self._failed:
                self._failed = True
                logger.warning("a sound is not saved in %s: %s", self._folder, error.strerror)

    def close(self) -> None:
        """Write what is left."""
        self._thread.shutdown()


def name_of(entry: Entry) -> str:
    """`20260302T180430.123Z-4f2a-c52d28d1-17.wav`: time, device, dialogue and number, of harmless letters."""
    at = datetime.fromtimestamp(entry.wall_s, tz=UTC)
    time = f"{at:%Y%m%dT%H%M%S}.{at.microsecond // 1000:03d}Z"
    words = [re.sub(r"[^A-Za-z0-9_-]", "", each)[:40] for each in (entry.device, entry.dialogue)]
    return "-".join([time, *(word or "none" for word in words), str(entry.number)]) + ".wav"


__all__ = ["SavedAudio", "name_of"]
