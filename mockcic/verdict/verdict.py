"""What came of a verification, as one value: text in a log, JSON over the API, a failure in pytest, a case in JUnit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from mockcic.journal.entry import Entry, entry_from_json
from mockcic.journal.filter import Comparison
from mockcic.scenario.conditions import MISSING

Status = Literal["kept", "broken", "error"]

WRITTEN: Final = 20
"""Entries that fitted which a verdict's entry in a journal has, the youngest: more would push others out (INF)."""


@dataclass(frozen=True, slots=True)
class Near:
    """An entry that does not fit, held against what was asked, field by field."""

    entry: Entry
    comparisons: tuple[Comparison, ...]

    def as_json(self) -> dict[str, Any]:
        """The entry whole, and each comparison."""
        return {"entry": self.entry.as_json(), "comparisons": [each.as_json() for each in self.comparisons]}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`asked` is what was asked, `why` what came instead, each one sentence.

    `error`: it cannot be judged, for entries it would need were dropped. `came` are the entries that fit, `nearest`
    those that nearly did, best first; `others` tells what came at all: (how many, what).
    """

    asked: str
    status: Status
    why: str
    came: tuple[Entry, ...] = ()
    nearest: tuple[Near, ...] = ()
    others: tuple[tuple[int, str], ...] = ()

    @property
    def kept(self) -> bool:
        """Whether all is as it was asked."""
        return self.status == "kept"

    def __bool__(self) -> bool:
        return self.kept

    def as_json(self) -> dict[str, Any]:
        """One JSON object; `verdict_from_json` reads it."""
        return {
            "asked": self.asked,
            "status": self.status,
            "why": self.why,
            "came": [entry.as_json() for entry in self.came],
            "nearest": [near.as_json() for near in self.nearest],
            "others": [{"count": count, "what": what} for count, what in self.others],
        }

    def members(self) -> dict[str, Any]:
        """What its entry in a journal holds beside its name, which is what was asked; `verdict_of` reads it.

        Of one that is kept `status` and `why`, of others all there is to see why: the youngest that fitted, too.
        """
        said: dict[str, Any] = {"status": self.status, "why": self.why}
        if self.kept:
            return said
        value = self.as_json()
        return said | {"came": value["came"][-WRITTEN:], "nearest": value["nearest"], "others": value["others"]}

    def raise_if_broken(self) -> Verdict:
        """Itself when it is kept. Raises `VerificationError`."""
        __tracebackhide__ = True  # pytest shows the line of the test
        if not self.kept:
            raise VerificationError(self)
        return self


class VerificationError(AssertionError):
    """Verifications that are not kept; the text says what was asked, what came, and how the nearest ones differ."""

    def __init__(self, *verdicts: Verdict) -> None:
        from mockcic.verdict.text import verdict_text

        super().__init__("\n".join(verdict_text(verdict) for verdict in verdicts))
        self.verdicts = verdicts

    def __reduce__(self) -> tuple[Callable[..., VerificationError], tuple[Any, ...]]:
        """It goes from one process to another as JSON: a test run by workers shows the same text."""
        return _error_from_json, tuple(verdict.as_json() for verdict in self.verdicts)

    @property
    def verdict(self) -> Verdict:
        """The first of them."""
        return self.verdicts[0]


def verdict_from_json(value: Mapping[str, Any]) -> Verdict:
    """The verdict of a JSON object. Raises `ValueError` when it is none."""
    try:
        if value["status"] not in get_args(Status):
            raise ValueError(f"status: found {value['status']!r}, expected one of {', '.join(get_args(Status))}")
        return Verdict(
            asked=str(value["asked"]),
            status=value["status"],
            why=str(value["why"]),
            came=tuple(entry_from_json(each) for each in value.get("came", ())),
            nearest=tuple(_near(each) for each in value.get("nearest", ())),
            others=tuple((int(each["count"]), str(each["what"])) for each in value.get("others", ())),
        )
    except KeyError as error:
        raise ValueError(f"found no member {error.args[0]}, expected a verdict") from None
    except (TypeError, AttributeError):
        raise ValueError("found something else, expected a verdict") from None


def verdict_of(entry: Entry) -> Verdict:
    """The verdict that an entry of a journal tells, as far as it can be read: a trace may be anybody's."""
    data = entry.data
    try:
        return verdict_from_json({"asked": entry.name, **data})
    except ValueError:
        status: Status = "broken" if data.get("status") == "broken" else "error"
        return Verdict(entry.name, status, str(data.get("why", "")))


def _error_from_json(*values: Mapping[str, Any]) -> VerificationError:
    return VerificationError(*map(verdict_from_json, values))


def _near(value: Mapping[str, Any]) -> Near:
    comparisons = (
        Comparison(str(each["member"]), str(each["expected"]), each.get("got", MISSING), bool(each["holds"]))
        for each in value["comparisons"]
    )
    return Near(entry_from_json(value["entry"]), tuple(comparisons))
