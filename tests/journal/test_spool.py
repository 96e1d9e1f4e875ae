"""Sounds as files: found by their digest, bounded, and gone with the process."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from mockcic.errors import StartError
from mockcic.journal.spool import HELD_BYTES, LOCK, PREFIX, Spool, sweep


def sound(number: int, size: int = 1000) -> bytes:
    return bytes([number]) * size


def test_what_is_kept_is_found_by_its_digest(tmp_path: Path) -> None:
    spool = Spool(folder=tmp_path)
    digests = [spool.keep(sound(number)) for number in range(3)]
    assert digests[1] == sha256(sound(1)).hexdigest()
    assert [spool.get(digest) for digest in digests] == [sound(number) for number in range(3)]
    assert spool.get("0" * 64) is None
    assert spool.bytes == 3000


def test_the_same_sound_is_kept_once(tmp_path: Path) -> None:
    spool = Spool(folder=tmp_path)
    assert spool.keep(sound(1)) == spool.keep(sound(1))
    assert (len(spool), spool.bytes) == (1, 1000)


def test_no_folder_is_made_before_the_first_sound(tmp_path: Path) -> None:
    spool = Spool(folder=tmp_path / "spool")
    spool.begin().drop()
    spool.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [10, HELD_BYTES, HELD_BYTES + 1, 3 * HELD_BYTES])
def test_a_sound_that_comes_in_pieces_is_kept_whole(tmp_path: Path, size: int) -> None:
    spool = Spool(folder=tmp_path)
    data = bytes(number % 251 for number in range(size))
    recording = spool.begin()
    for start in range(0, size, 6400):
        recording.feed(data[start : start + 6400])
    recording.finish(sha256(data).hexdigest())
    recording.drop()
    assert spool.get(sha256(data).hexdigest()) == data
    again = spool.begin()
    again.feed(data)
    again.finish(sha256(data).hexdigest())
    assert spool.bytes == size


def test_a_sound_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    spool = Spool(folder=tmp_path)
    recording = spool.begin()
    recording.feed(sound(1, HELD_BYTES + 1))
    assert spool.folder is not None
    recording.drop()
    assert [path.name for path in spool.folder.iterdir()] == [LOCK]


def test_the_oldest_sounds_go_when_the_cap_is_reached(tmp_path: Path) -> None:
    spool = Spool(folder=tmp_path, limit=10_000)
    digests = [spool.keep(sound(number)) for number in range(30)]
    assert spool.bytes <= 10_000
    assert spool.get(digests[-1]) == sound(29)
    assert spool.get(digests[0]) is None
    assert spool.dropped + len(spool) == 30
    assert spool.folder is not None
    assert sum(path.stat().st_size for path in spool.folder.iterdir()) <= 10_000


def test_a_sound_larger_than_the_cap_is_not_kept(tmp_path: Path) -> None:
    spool = Spool(folder=tmp_path, limit=HELD_BYTES + 100)
    digest = spool.keep(sound(1, HELD_BYTES + 200))
    recording = spool.begin()
    for _ in range(3):
        recording.feed(sound(2, HELD_BYTES // 2))
    recording.finish("f" * 64)
    assert (spool.get(digest), spool.get("f" * 64), spool.bytes) == (None, None, 0)


def test_nothing_is_left_behind_unless_it_is_to_be_kept(tmp_path: Path) -> None:
    spool = Spool(folder=tmp_path)
    spool.keep(sound(1))
    spool.close()
    assert list(tmp_path.iterdir()) == []
    kept = Spool(folder=tmp_path, keep=True)
    digests = [kept.keep(sound(number)) for number in range(2)]
    kept.close()
    (folder,) = tmp_path.iterdir()
    assert sorted(path.name for path in folder.iterdir()) == sorted(digests)
    assert (folder / digests[0]).read_bytes() == sound(0)


def test_nothing_is_left_behind_when_nobody_closes_it(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from mockcic.journal.spool import Spool;"
        "spool = Spool(folder=Path(sys.argv[1])); spool.keep(b'sound')"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code, str(tmp_path)], check=True)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from mockcic.journal.spool import Spool;"
        "spool = Spool(folder=Path(sys.argv[1])); spool.keep(b'sound'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    (left,) = tmp_path.glob(f"{PREFIX}*")
    spool = Spool(folder=tmp_path)
    spool.keep(sound(1))
    assert not left.exists()
    assert list(tmp_path.iterdir()) == [spool.folder]


def test_the_spool_of_a_living_process_stays(tmp_path: Path) -> None:
    folder = tmp_path / f"{PREFIX}living"
    folder.mkdir()
    with (folder / LOCK).open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        sweep(tmp_path)
        assert folder.exists()
    sweep(tmp_path)
    assert not folder.exists()


def test_a_folder_without_a_lock_is_somebody_elses(tmp_path: Path) -> None:
    (tmp_path / f"{PREFIX}kept").mkdir()
    sweep(tmp_path)
    assert (tmp_path / f"{PREFIX}kept").exists()


def test_a_full_disk_loses_sounds_and_never_mixes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written is there, what was not is forgotten and counted; when there is room again it goes on."""
    spool = Spool(folder=tmp_path)
    room = 250_000
    real = os.writev

    def writev(descriptor: int, pieces: list[bytes]) -> int:
        nonlocal room
        if room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = b"".join(pieces)[:room]
        room -= len(taken)
        return real(descriptor, [taken])

    monkeypatch.setattr(os, "writev", writev)
    monkeypatch.setattr(os, "write", lambda descriptor, rest: writev(descriptor, [bytes(rest)]))
    sounds = [bytes([number]) * 40_000 for number in range(20)]
    digests = [spool.keep(sound) for sound in sounds]
    found = [spool.get(digest) for digest in digests]
    assert all(got in (None, sound) for got, sound in zip(found, sounds, strict=True))
    assert found[:6] == sounds[:6]
    assert (spool.dropped, len(spool)) == (found.count(None), 20 - found.count(None))
    room = 10**9
    digest = spool.keep(b"x" * 40_000)
    assert spool.get(digest) == b"x" * 40_000
    spool.close()


def test_a_folder_that_is_gone_loses_sounds_only(tmp_path: Path) -> None:
    spool = Spool(folder=tmp_path / "gone")
    (tmp_path / "gone").write_text("a file")
    recording = spool.begin()
    for _ in range(2):
        recording.feed(b"x" * HELD_BYTES)
    recording.finish("a" * 64)
    spool.keep(b"y")
    assert (len(spool), spool.dropped) == (0, 2)
    with pytest.raises(StartError, match="cannot keep sounds in"):
        spool.open()
