"""The grammar of the User-Agent header (PROTOCOL 1.3)."""

from __future__ import annotations

import re
from typing import Final

from mockcic.cic.issue import shown
from mockcic.errors import Finding, Severity

_TEXT: Final = r"[A-Za-z0-9_.\-](?:[A-Za-z0-9_.\- ]*[A-Za-z0-9_.\-])?"
_IDS: Final = r"[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*"
_VERSION: Final = rf"[0-9]+\.[0-9]+\.[0-9]+(?:-{_IDS})?(?:\+{_IDS})?"
_SEMVER_NUMBER: Final = r"(?:0|[1-9][0-9]*)"
_SEMVER_ID: Final = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z\-][0-9A-Za-z\-]*)"
_SEMVER: Final = (
    rf"{_SEMVER_NUMBER}\.{_SEMVER_NUMBER}\.{_SEMVER_NUMBER}"
    rf"(?:-{_SEMVER_ID}(?:\.{_SEMVER_ID})*)?(?:\+[0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*)?"
)
_PROPERTY: Final = r"[A-Za-z0-9_.\-]+=[A-Za-z0-9_.\-%]+"


def _user_agent(version: str) -> re.Pattern[str]:
    return re.compile(rf"{_TEXT} ?/ ?{_TEXT} ?/ ?(?:{version}) ?\({_TEXT} ?; ?{_TEXT}(?: ?; ?{_PROPERTY})*\)", re.ASCII)


_STRICT: Final = _user_agent(_VERSION)
_LENIENT: Final = _user_agent(f"{_VERSION}|{_SEMVER}")
_EXPECTED: Final = "maker/product/1.2.3 (os;hardware) with properties as ;key=value (PROTOCOL 1.3)"


def judge_user_agent(value: str | None, *, strict: bool) -> Finding | None:
    """What is wrong with a User-Agent, None when it is well formed.

    The guide tells makers to follow semver and gives a grammar that does not: without `strict` a version may follow
    either, with it only the grammar. Source: PROTOCOL 1.3.
    """
    severity: Severity = "error" if strict else "warning"
    if value is None:
        mend = "send one with every request; it was introduced in December 2017"
        return Finding("user-agent.missing", "no User-Agent", _EXPECTED, mend, severity)
    pattern = _STRICT if strict else _LENIENT
    if pattern.fullmatch(value):
        return None
    return Finding("user-agent.grammar", shown(value), _EXPECTED, severity=severity)


__all__ = ["judge_user_agent"]
