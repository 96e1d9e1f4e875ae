"""The trace file `.cictrace`: what happened, in one file that can be kept, sent and compared (docs/trace.md).

A zip of `trace.json` (what it is), `entries.jsonl` (an entry a line), `blobs/<sha256>` (sounds as they were on the
wire) and `scenarios/<name>` (the texts as loaded). Nothing of its names is ever used as a path on disk.
"""

from __future__ import annotations

import json
import math
import re
import secrets
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, Final
from urllib.parse import unquote

from mockcic.errors import StartError
from mockcic.journal.entry import Entry, entry_from_json

FORMAT: Final = 1
SUFFIX: Final = ".cictrace"

LIMIT_BYTES: Final = 512 * 1024 * 1024
"""A file that is more than this when unpacked is refused; twice what a spool keeps (INF)."""

HEAD: Final = "trace.json"
ENTRIES: Final = "entries.jsonl"
BLOBS: Final = "blobs/"
SCENARIOS: Final = "scenarios/"

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_UNSAFE: Final = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|%]|^\.|[. ]$')
_TROUBLES: Final = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError)
"""What reading a member of a broken, encrypted or strangely packed zip may raise."""


@dataclass(frozen=True, slots=True)
class RuleUse:
    """How often a rule of a scenario answered."""

    scenario: str
    rule: str
    uses: int


class Blobs(Mapping[str, bytes]):
    """Bytes by their digest (SHA-256, hex), read when they are asked for; `read` gives None for what is gone."""

    def __init__(self, digests: Iterable[str], read: Callable[[str], bytes | None]) -> None:
        self._digests = tuple(sorted(set(digests)))
        self._read = read

    def __getitem__(self, digest: str) -> bytes:
        data = self._read(digest) if digest in self._digests else None
        if data is None:
            raise KeyError(digest)
        return data

    def __iter__(self) -> Iterator[str]:
        return iter(self._digests)

    def __len__(self) -> int:
        return len(self._digests)


@dataclass(frozen=True, slots=True)
class Trace:
    """What happened to a device, in a test, or on a server.

    `created` is an ISO 8601 time, `version` that of mockcic, `dropped` how many entries were gone before they could be
    written, `rules` every rule of the scenarios also when it was not used, `scenarios` text by name.
    """

    entries: tuple[Entry, ...]
    title: str = ""
    created: str = ""
    version: str = ""
    dropped: int = 0
    rules: tuple[RuleUse, ...] = ()
    scenarios: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    blobs: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices of the entries, in the order they appear."""
        return tuple(dict.fromkeys(entry.device for entry in self.entries if entry.device))

    def blob(self, sha256: str) -> bytes | None:
        """The bytes of an upload or an attachment by the digest in its entry; None when they were not kept."""
        return self.blobs.get(sha256)


def named_blobs(entries: Iterable[Entry]) -> tuple[str, ...]:
    """The digests that entries name, for those who gather the blobs of a trace."""
    digests = (entry.data.get("sha256") for entry in entries)
    return tuple(sorted({digest for digest in digests if isinstance(digest, str) and _DIGEST.fullmatch(digest)}))


# ---------------------------------------------------------------------- writing


def write_trace(target: Path | BinaryIO, trace: Trace) -> None:
    """Write a trace; the same trace gives the same bytes. A path gets the whole file or is left as it was.

    Raises `StartError` when a path cannot be written.
    """
    if not isinstance(target, Path):
        _write(target, trace)
        return
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        try:
            with part.open("xb") as file:
                _write(file, trace)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise StartError(f"cannot write {target}: {error.strerror or error}") from None


def _write(file: BinaryIO, trace: Trace) -> None:
    head = {
        "format": FORMAT,
        "version": trace.version,
        "created": trace.created,
        "title": trace.title,
        "devices": list(trace.devices),
        "dropped": trace.dropped,
        "rules": [{"scenario": each.scenario, "rule": each.rule, "uses": each.uses} for each in trace.rules],
    }
    with zipfile.ZipFile(file, "w") as archive:
        _put(archive, HEAD, _encoded(head, indent=1))
        with archive.open(_info(ENTRIES), "w", force_zip64=True) as lines:
            for entry in trace.entries:
                lines.write(_encoded(entry.as_json()) + b"\n")
        for name in sorted(trace.scenarios):
            _put(archive, SCENARIOS + _member_name(name), trace.scenarios[name].encode(errors="replace"))
        for digest in sorted(trace.blobs):
            data = trace.blobs.get(digest)  # None when the spool let it go in the meantime
            if data is not None and _DIGEST.fullmatch(digest):
                _put(archive, BLOBS + digest, data)


def _info(name: str) -> zipfile.ZipInfo:
    """A member with the time zip begins at: the same trace gives the same bytes."""
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


def _put(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(_info(name), data)


def _encoded(value: object, indent: int | None = None) -> bytes:
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=_plain)
    try:
        return text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can say and UTF-8 cannot
        return json.dumps(value, indent=indent, default=_plain).encode()


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)


def _member_name(name: str) -> str:
    """A scenario's name as a file name of any system; `unquote` gives it back."""
    text = name.encode(errors="replace").decode()
    return _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", text) or "unnamed"


# ---------------------------------------------------------------------- reading


def read_trace(path: Path) -> Trace:
    """Read a trace file; its blobs are read from it when they are asked for, so it must stay where it is.

    Raises `StartError` that names the file, the member and the line.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename: info for info in archive.infolist()}
            unpacked = sum(info.file_size for info in archive.infolist())
            if unpacked > LIMIT_BYTES:
                raise StartError(f"{path}: unpacks to {unpacked} bytes; expected at most {LIMIT_BYTES}")
            head = _read_head(path, _read(path, archive, HEAD))
            entries = tuple(_read_entries(path, _read(path, archive, ENTRIES)))
            scenarios = {
                unquote(name.removeprefix(SCENARIOS)): _read(path, archive, name).decode(errors="replace")
                for name in sorted(members)
                if name.startswith(SCENARIOS) and name != SCENARIOS
            }
    except OSError as error:
        raise StartError(f"cannot read {path}: {error.strerror or error}") from None
    except zipfile.BadZipFile:
        raise StartError(f"{path}: found no zip file; expected a trace ({SUFFIX}) as mockcic writes it") from None
    digests = [name.removeprefix(BLOBS) for name in members if name.startswith(BLOBS)]
    return Trace(
        entries=entries,
        scenarios=scenarios,
        blobs=Blobs(filter(_DIGEST.fullmatch, digests), lambda digest: _read_blob(path, digest)),
        **head,
    )


def _read(path: Path, archive: zipfile.ZipFile, member: str) -> bytes:
    try:
        return archive.read(member)  # at most what its `file_size` says
    except KeyError:
        raise StartError(f"{path}: {member} is missing; expected it in a trace ({SUFFIX})") from None
    except _TROUBLES as error:
        raise StartError(f"{path}: {member}: cannot be unpacked: {error}") from None


def _read_blob(path: Path, digest: str) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(path, archive, BLOBS + digest)
    except (OSError, zipfile.BadZipFile) as error:
        raise StartError(f"cannot read {path}: {error}") from None


def _read_head(path: Path, data: bytes) -> dict[str, Any]:
    """The members of a `Trace` that `trace.json` has."""
    where = f"{path}: {HEAD}"
    head = _read_object(where, data)
    number = _member(where, head, "format", int, "a whole number")
    if number > FORMAT:
        raise StartError(f"{where}: format: found {number}, expected at most {FORMAT}; a newer mockcic wrote it")
    if number != FORMAT:
        raise StartError(f"{where}: format: found {number}, expected {FORMAT}")
    rules = []
    for index, each in enumerate(_member(where, head, "rules", list, "a list")):
        place = f"{where}: rules.{index}"
        if not isinstance(each, dict):
            raise StartError(f"{place}: found {_shown(each)}, expected an object")
        rules.append(
            RuleUse(
                _member(place, each, "scenario", str, "a text"),
                _member(place, each, "rule", str, "a text"),
                _member(place, each, "uses", int, "a whole number"),
            )
        )
    return {
        "title": _member(where, head, "title", str, "a text"),
        "created": _member(where, head, "created", str, "an ISO 8601 time"),
        "version": _member(where, head, "version", str, "a text"),
        "dropped": _member(where, head, "dropped", int, "a whole number"),
        "rules": tuple(rules),
    }


def _member(where: str, found: Mapping[str, Any], name: str, kind: type, expected: str) -> Any:
    value = found.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise StartError(f"{where}: {name}: found {_shown(value)}, expected {expected}")
    return value


def _read_entries(path: Path, data: bytes) -> Iterator[Entry]:
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        where = f"{path}: {ENTRIES} line {number}"
        value = _read_object(where, line)
        try:
            entry = entry_from_json(value)
        except ValueError as error:
            raise StartError(f"{where}: {error}") from None
        if not math.isfinite(entry.at_s):
            raise StartError(f"{where}: at: found {entry.at_s}, expected seconds")
        yield entry


def _read_object(where: str, data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise StartError(f"{where}: found no JSON ({error}), expected an object") from None
    if not isinstance(value, dict):
        raise StartError(f"{where}: found {_shown(value)}, expected an object")
    return value


def _shown(value: object) -> str:
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


__all__ = ["FORMAT", "LIMIT_BYTES", "SUFFIX", "Blobs", "RuleUse", "Trace", "named_blobs", "read_trace", "write_trace"]
