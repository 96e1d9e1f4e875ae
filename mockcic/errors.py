"""Trouble, by whose it is: the scenario author's, the operator's, the device's.

A scenario author gets every `Problem` of the files at once (`ScenarioError`); the operator gets one sentence
(`StartError`, exit code 2); what a device does wrong is a `WireError` where no answer but a refusal is possible, and a
`Finding` where the mock goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a scenario file, with the place, what was found, what was expected, and how to mend it.

    `line` and `column` count from 1, columns in characters; `width` is how many characters the caret marks underline.
    `source` is the text of the line.
    """

    path: str
    line: int
    column: int
    what: str
    expected: str = ""
    mend: str = ""
    severity: Severity = "error"
    source: str = ""
    width: int = 1

    @property
    def where(self) -> str:
        """`path:line:column`, as editors and compilers write it; the path alone for what is in no file (line 0)."""
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path

    @property
    def said(self) -> str:
        """All of it in one line, without the place."""
        return "; ".join(each for each in (self.what, self.expected and f"expected {self.expected}", self.mend) if each)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a device did that departs from the documents, though the mock went on.

    `code` is a dotted name that stays the same between releases, such as `multipart.last-delimiter`. `expected` ends
    with its source in brackets (a section of PROTOCOL or DEVICES, an RFC, or INF).
    """

    code: str
    found: str
    expected: str
    mend: str = ""
    severity: Severity = "warning"

    def __str__(self) -> str:
        return f"{self.code}: found {self.found}; expected {self.expected}"


class ScenarioError(Exception):
    """The scenario files cannot be used. `problems` holds all of them, warnings too, in the order of the text."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        errors = [problem for problem in self.problems if problem.severity == "error"]
        super().__init__("\n".join(f"{problem.where}: {problem.what}" for problem in errors))


class StartError(Exception):
    """The program cannot start. The text is one clear sentence for the operator; the command line exits with 2."""


class FaultError(Exception):
    """A fault cannot be set on this server or for this device. The text is one sentence for whoever asked."""


class WireError(Exception):
    """The device sent something that can only be refused.

    `status` is the HTTP status, `description` the text for the System.Exception, `offset` the first byte of the body at
    which it became certain (None where no body is concerned), `code` names the rule as in `Finding.code`.
    """

    def __init__(
        self,
        description: str,
        *,
        status: int = 400,
        offset: int | None = None,
        code: str = "multipart",
        detail: str = "",
    ) -> None:
        super().__init__(detail or description)
        self.description = description
        self.status = status
        self.offset = offset
        self.code = code
        self.detail = detail or description


def printable(text: str) -> str:
    """The text without characters that could rewrite a terminal; line ends stay."""
    return "".join(each if each.isprintable() or each == "\n" else "�" for each in text)
