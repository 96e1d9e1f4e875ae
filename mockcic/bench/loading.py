"""Scenarios as tests give them, and how they travel to a server elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from mockcic.errors import StartError
from mockcic.scenario.load import load, load_text
from mockcic.scenario.scenario_set import ScenarioSet
from mockcic.scenario.settings import Profile

YAML: Final = "application/yaml"
ZIP: Final = "application/zip"

Loadable = str | Path | Mapping[str, Any] | ScenarioSet
"""A scenario: a path, YAML text (with a line end in it), a mapping of the language, or a set that is loaded already."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A scenario for a server: `scenarios` for one in this process, `body` for one elsewhere (None: it cannot go)."""

    scenarios: ScenarioSet
    body: bytes | None
    content_type: str
    profile: Profile | None
    strict: bool
    called: str = "<text>"
    """What messages and rules without a name call it, there as here."""


def load_any(what: Loadable, *, profile: Profile | None = None, strict: bool = False) -> ScenarioSet:
    """The scenarios of a path, a text or a mapping. Raises `ScenarioError` with every problem."""
    return parcel(what, profile=profile, strict=strict).scenarios


def parcel(what: Loadable, *, profile: Profile | None = None, strict: bool = False) -> Parcel:
    """As `load_any`, ready to travel. Raises `StartError` for a profile that there is not."""
    if profile is not None and profile not in get_args(Profile):
        raise StartError(f"there is no profile {profile}; there are {', '.join(get_args(Profile))}")
    match what:
        case ScenarioSet():
            return Parcel(what, None, "", profile, strict)
        case str() if "\n" in what:
            return _of_text(what, "<text>", profile, strict)
        case str() | Path():
            path = Path(what)
            found = load([path], profile=profile, strict=strict)
            return Parcel(found, None if path.is_dir() else _packed(path, found), ZIP, profile, strict, str(path))
        case _:
            import yaml

            text = yaml.safe_dump(dict(what), allow_unicode=True, sort_keys=False)
            return _of_text(text, "<mapping>", profile, strict)


def _of_text(text: str, name: str, profile: Profile | None, strict: bool) -> Parcel:
    found = load_text(text, name=name, folder=Path.cwd(), profile=profile, strict=strict)
    return Parcel(found, text.encode(), YAML, profile, strict, name)


def _packed(path: Path, found: ScenarioSet) -> bytes:
    from mockcic.control.bodies import packed

    return packed(path, found.files)


def chaos_text(what: str | Path | Mapping[str, Any]) -> tuple[str, str]:
    """The text of a chaos file, and what messages call it: of a path, YAML text, or a mapping. Raises `StartError`."""
    match what:
        case str() if "\n" in what:
            return what, "<text>"
        case str() | Path():
            try:
                return Path(what).read_text("utf-8"), str(what)
            except (OSError, UnicodeDecodeError) as error:
                raise StartError(f"cannot read {what}: {getattr(error, 'strerror', None) or error}") from None
        case _:
            import yaml

            return yaml.safe_dump(dict(what), allow_unicode=True, sort_keys=False), "<mapping>"
