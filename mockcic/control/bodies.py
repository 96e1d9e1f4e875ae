"""A scenario in the body of a request: YAML, a mapping of the language as JSON, or a zip of its folder."""

from __future__ import annotations

import io
import json
import lzma
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

from mockcic.control.ask import AskError
from mockcic.errors import Problem, ScenarioError, StartError
from mockcic.scenario.files import BUILTIN
from mockcic.scenario.load import load_text, load_unpacked
from mockcic.scenario.scenario_set import ScenarioSet
from mockcic.scenario.settings import Profile

DAMAGED: Final = (zipfile.BadZipFile, zlib.error, lzma.LZMAError)
"""What a damaged zip raises, beside errors of Python's own."""

MOST_FILES: Final = 1000
"""In a zip (INF)."""

LIMIT_BYTES: Final = 64 * 1024 * 1024
"""Of a body, and of what a zip unpacks to (INF)."""

MAIN: Final = "mockcic-main"
"""In a zip: the file whose text is the name of the scenario file; without it that is the only .yaml at the top."""

FORM_TYPE: Final = "application/x-www-form-urlencoded"
"""What curl says of `--data` unless told otherwise: taken for what the endpoint reads."""

YAML_TYPES: Final = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", "text/plain")
JSON_TYPE: Final = "application/json"
ZIP_TYPE: Final = "application/zip"


class Unpacked:
    """Folders of scenarios that came as zips: their sounds are read when they are sent, so they stay to the end."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._count = 0
        self._empty: Path | None = None

    def close(self) -> None:
        """Leave nothing behind."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def read(
        self,
        body: bytes,
        content_type: str,
        *,
        profile: Profile | None = None,
        strict: bool = False,
        called: str | None = None,
    ) -> ScenarioSet:
        """The scenarios of a body; `called` is what messages call it.

        Raises `AskError`, and `ScenarioError` with every problem.
        """
        kind = content_type.partition(";")[0].strip().lower()
        if len(body) > LIMIT_BYTES:
            raise AskError(413, f"a body of {len(body)} bytes; expected at most {LIMIT_BYTES}")
        if kind == ZIP_TYPE:
            return self._unzip(body, profile, called, strict=strict)
        if kind in (*YAML_TYPES, JSON_TYPE, FORM_TYPE, ""):
            try:
                text = body.decode()
            except UnicodeDecodeError as error:
                raise AskError(400, f"the body is not UTF-8: {error}") from None
            if kind == JSON_TYPE:
                text = self._checked_json(text)
            folder = self._empty_folder()
            try:
                return load_text(text, called or "<body>", folder, profile=profile, strict=strict)
            except ScenarioError as error:
                raise ScenarioError([_without_folder(each, folder) for each in error.problems]) from None
        expected = ", ".join((*YAML_TYPES, JSON_TYPE, ZIP_TYPE))
        raise AskError(415, f"content-type {kind}; expected one of {expected}", member="content-type")

    @staticmethod
    def _checked_json(text: str) -> str:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise AskError(400, f"the body is not JSON: {error}") from None
        if not isinstance(value, dict):
            raise AskError(422, "the body is no object; expected a scenario as an object")
        return text  # JSON is YAML, and places are those of the body

    def _empty_folder(self) -> Path:
        """Where files that a text names are sought: there are none."""
        if self._empty is None:
            self._empty = self._new_folder()
        return self._empty

    def _new_folder(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="mockcic-scenarios-"))
        self._count += 1
        folder = self._folder / str(self._count)
        folder.mkdir()
        return folder

    def _unzip(self, body: bytes, profile: Profile | None, called: str | None, *, strict: bool) -> ScenarioSet:
        try:
            archive = zipfile.ZipFile(io.BytesIO(body))
            names = [each for each in archive.namelist() if not each.endswith("/")]
            if sum(each.file_size for each in archive.infolist()) > LIMIT_BYTES:
                raise AskError(413, f"the zip unpacks to more than {LIMIT_BYTES} bytes")
            if len(names) > MOST_FILES:
                raise AskError(413, f"the zip has {len(names)} files; expected at most {MOST_FILES}")
            for name in names:
                path = PurePosixPath(name)
                if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
                    raise AskError(422, f"the zip has a file {name}; expected relative paths inside it")
            main = self._main(archive, names)
            folder = self._new_folder()
            archive.extractall(folder, members=names)
        except (RuntimeError, OSError, ValueError, EOFError, *DAMAGED) as error:
            raise AskError(400, f"the body is no zip that can be read: {error}", member="body") from None
        return load_unpacked(folder, main, called=called or main, profile=profile, strict=strict)

    @staticmethod
    def _main(archive: zipfile.ZipFile, names: Sequence[str]) -> str:
        if MAIN in names:
            main = archive.read(MAIN).decode().strip()
            if main not in names:
                raise AskError(422, f"{MAIN} names {main}, which is not in the zip")
            return main
        found = [name for name in names if "/" not in name and name.endswith((".yaml", ".yml"))]
        if len(found) != 1:
            raise AskError(
                422, f"the zip has {len(found)} .yaml files at its top; expected one, or a file {MAIN}", member="body"
            )
        return found[0]


def _without_folder(problem: Problem, folder: Path) -> Problem:
    """A body brings no files: what it names is nowhere, and how to send it along."""
    found = f"{folder.resolve()}/"
    if found not in problem.expected and found not in problem.what:
        return problem
    return replace(
        problem,
        what=problem.what.replace(found, ""),
        expected=problem.expected.replace(found, ""),
        mend="a text brings no files; send a zip of the folder (application/zip, or `mockcic load`), or base64",
    )


def packed(path: Path, files: Sequence[Path]) -> bytes:
    """A scenario file with the files it was read from (`ScenarioSet.files`), as the zip that `Unpacked` reads."""
    real = [each.resolve() for each in files if not each.resolve().is_relative_to(BUILTIN)]
    main = path.resolve()
    top = main.parent
    while not all(each.is_relative_to(top) for each in real):
        top = top.parent
    packed_bytes = io.BytesIO()
    with zipfile.ZipFile(packed_bytes, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in dict.fromkeys([main, *real]):
            archive.write(each, each.relative_to(top).as_posix())
        archive.writestr(MAIN, main.relative_to(top).as_posix())
    return packed_bytes.getvalue()


__all__ = ["JSON_TYPE", "MAIN", "ZIP_TYPE", "ScenarioError", "StartError", "Unpacked", "packed"]
