"""What a single string or number has to fulfil: enums, ranges, patterns, lengths, formats."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from mockcic.cic.field import FieldSpec
from mockcic.cic.issue import NONE, Check, Issue, Issues, IsTemplate, did_you_mean, one_of, shown
from mockcic.errors import Severity


def enum_check(spec: FieldSpec) -> list[Check]:
    """The value is one of the enum; with `enum_open` another is a warning."""
    if not spec.enum:
        return []
    allowed = frozenset(spec.enum)
    words = tuple(value for value in spec.enum if isinstance(value, str))
    severity: Severity = "warning" if spec.enum_open else "error"

    def check(value: Any, is_template: IsTemplate) -> Issues:
        if value in allowed:
            return NONE
        mend = did_you_mean(value, words) if isinstance(value, str) else ""
        return (Issue((), "enum", severity, shown(value), one_of(spec.enum), mend),)

    return [check]


def range_check(spec: FieldSpec) -> list[Check]:
    """The number lies from `min` to `max`, both included."""
    low, high = spec.minimum, spec.maximum
    if low is None and high is None:
        return []
    words = " and ".join(
        text
        for text in (f"at least {low}" if low is not None else "", f"at most {high}" if high is not None else "")
        if text
    )
    unit = f" {spec.unit}" if spec.unit else ""

    def check(value: float, is_template: IsTemplate) -> Issues:
        if (low is None or value >= low) and (high is None or value <= high):
            return NONE
        return (Issue((), "range", "error", shown(value), f"{words}{unit}"),)

    return [check]


def pattern_check(spec: FieldSpec) -> list[Check]:
    """The whole text fits the pattern."""
    if spec.pattern is None:
        return []
    pattern = re.compile(spec.pattern, re.ASCII)

    def check(value: str, is_template: IsTemplate) -> Issues:
        if pattern.fullmatch(value):
            return NONE
        return (Issue((), "pattern", "error", shown(value), spec.about or f"text that fits {spec.pattern}"),)

    return [check]


def string_checks(spec: FieldSpec) -> list[Check]:
    """All there is to ask of a string, what is most telling first."""
    checks = [*enum_check(spec), *pattern_check(spec)]
    if (limit := spec.max_bytes) is not None:

        def short(value: str, is_template: IsTemplate) -> Issues:
            if len(value) * 4 <= limit or (size := len(value.encode("utf-8", "surrogatepass"))) <= limit:
                return NONE
            return (Issue((), "length", "error", f"{size} bytes of UTF-8", f"at most {limit}"),)

        checks.append(short)
    if spec.format is not None and spec.format in FORMATS:
        fits, words = FORMATS[spec.format]

        def formed(value: str, is_template: IsTemplate) -> Issues:
            if not value or fits(value):
                return NONE
            return (Issue((), "format", "error", shown(value), words),)

        checks.append(formed)
    return checks


_ISO8601: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_DIGITS: Final = re.compile(r"\d{14}", re.ASCII)
_URL: Final = re.compile(r"https?://[^\s/?#]+\S*", re.IGNORECASE)
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


FORMATS: Final[Mapping[str, tuple[Callable[[str], bool], str]]] = {
    "iso8601": (
        lambda text: _ISO8601.fullmatch(text) is not None and _is_date(text),
        "YYYY-MM-DDThh:mm:ss, then Z or +hh:mm (ISO 8601)",
    ),
    "timestamp-digits": (
        lambda text: _DIGITS.fullmatch(text) is not None and _is_date(f"{text[:8]}T{text[8:]}"),
        "YYYYMMDDhhmmss",
    ),
    "url": (lambda text: _URL.fullmatch(text) is not None, "an address with http: or https:"),
    "uri": (lambda text: _URI.fullmatch(text) is not None, "an address with its scheme, such as https: or clova:"),
    "cid-url": (
        lambda text: _URL.fullmatch(text) is not None or (text.startswith("cid:") and len(text) > 4),
        "cid: and the Content-ID of a part of the same reply, or an address with http: or https:",
    ),
    "uuid": (lambda text: _UUID.fullmatch(text) is not None, "a UUID"),
}
"""Formats of strings: whether a text fits, and what it should look like."""


__all__ = ["FORMATS", "enum_check", "pattern_check", "range_check", "string_checks"]
