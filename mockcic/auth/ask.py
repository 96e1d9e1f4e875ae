"""What is asked of the authorization server: the parameters of the query and of the form body, as one mapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from mockcic.errors import Finding

FORM_TYPE: Final = "application/x-www-form-urlencoded"
BODY_BYTES: Final = 64 * 1024
"""The longest form body (INF)."""

PARAMETERS: Final = 100
"""The most parameters that are read (INF)."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A request: `parameters` merged, `account` the bearer token (empty without), what was odd about it.

    `broken` says why it cannot be read at all; empty when it can.
    """

    parameters: Mapping[str, str]
    account: str = ""
    findings: tuple[Finding, ...] = ()
    broken: str = ""

    def get(self, name: str) -> str:
        """A parameter; empty when it is not there: an empty one says nothing either."""
        return self.parameters.get(name, "")

    def missing(self, names: Sequence[str]) -> list[str]:
        """Which of these parameters are not there."""
        return [name for name in names if not self.get(name)]


def read_ask(query: bytes, body: bytes = b"", content_type: str = "", account: str = "") -> Ask:
    """Read a request: GET or POST, query and form body merged (PROTOCOL section 6), decoded once.

    A `grant_type` with a second question mark in it is cut there, and the rest read as parameters (section 6, DEV).
    """
    findings: list[Finding] = []
    try:
        found = _pairs(query)
        kind = content_type.partition(";")[0].strip().lower()
        if body and kind in (FORM_TYPE, ""):
            found += _pairs(body)
        elif body:
            findings.append(
                Finding(
                    "auth.body-type",
                    f"a body of type {content_type[:100]}, which is not read",
                    f"{FORM_TYPE}, or everything in the query (PROTOCOL 6)",
                    "set content-type to it",
                )
            )
    except ValueError as error:
        return Ask({}, account, tuple(findings), f"the parameters cannot be read: {error}")
    parameters: dict[str, str] = {}
    for name, value in _cut(found, findings):
        if parameters.setdefault(name, value) != value:
            findings.append(
                Finding(
                    "auth.parameter-twice",
                    f"{name} twice, with different values; the first counts",
                    "each parameter once (RFC 6749 3.1)",
                    "send it in the query or in the body, not in both",
                )
            )
    return Ask(parameters, account, tuple(findings))


def _pairs(text: bytes) -> list[tuple[str, str]]:
    return parse_qsl(
        text.decode("utf-8"), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=PARAMETERS
    )


def _cut(found: list[tuple[str, str]], findings: list[Finding]) -> list[tuple[str, str]]:
    """The documents' own sample has two question marks: `/token?grant_type=refresh_token?client_id=...`."""
    whole: list[tuple[str, str]] = []
    for name, value in found:
        if name != "grant_type" or "?" not in value:
            whole.append((name, value))
            continue
        grant, _, rest = value.partition("?")
        whole += [(name, grant), *parse_qsl(rest, keep_blank_values=True)]
        findings.append(
            Finding(
                "auth.second-question-mark",
                f"grant_type={grant}?{rest.partition('=')[0]}=...",
                f"grant_type={grant}&{rest.partition('=')[0]}=... (PROTOCOL 6: a slip of the documents' samples)",
                "write & instead of the second question mark",
            )
        )
    return whole
