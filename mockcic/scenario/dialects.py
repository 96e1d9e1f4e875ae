"""Named dialects: bundles of the settings the documents leave open, each as one source has them.

A firmware that runs with each leans on none of them. `docs/dialects.md` is made from this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

DialectName = Literal["seed-sample", "g17", "g18", "g21", "g21-tables", "avs", "ios", "plain", "odd"]


@dataclass(frozen=True, slots=True)
class NamedDialect:
    """What it stands for, who says so, and the settings it gives where a scenario gives none."""

    name: DialectName
    about: str
    source: str
    settings: Mapping[str, Any] = field(default_factory=dict)


DIALECTS: Final[Mapping[str, NamedDialect]] = MappingProxyType(
    {
        each.name: each
        for each in (
            NamedDialect(
                "seed-sample",
                "The concrete samples of August 2017, and what shipped firmware reads; bare exceptions.",
                "PROTOCOL 4.3, 5.1 (S), DEVICES R1 to R10",
                {"exceptions": "bare"},
            ),
            NamedDialect(
                "g17",
                "The first English guide: `type=`, `Content-ID` in angle brackets, errors without a body.",
                "PROTOCOL 1.5, 4.3, 5.1 (G17)",
                {
                    "multipart": {"semicolon": False, "type_parameter": True},
                    "content_id": {"name": "Content-ID", "brackets": True},
                    "exceptions": "empty",
                },
            ),
            NamedDialect(
                "g18",
                "The guide of June 2018: bare `Content-ID`, bare exceptions.",
                "PROTOCOL 4.3, 5.1 (G18)",
                {"content_id": {"name": "Content-ID"}, "exceptions": "bare"},
            ),
            NamedDialect(
                "g21",
                "The guide of August 2021 by its samples: bare `Content-ID`, wrapped exceptions.",
                "PROTOCOL 4.3, 5.1 (G21)",
                {"content_id": {"name": "Content-ID"}, "exceptions": "wrapped"},
            ),
            NamedDialect(
                "g21-tables",
                "The same by its tables and skeletons: `multipart/form-data`, parts named `metadata` and `audio`.",
                "PROTOCOL 1.5, 4.2 (G21)",
                {
                    "multipart": {"subtype": "form-data"},
                    "parts": {"names": "metadata"},
                    "content_id": {"name": "Content-ID"},
                    "exceptions": "wrapped",
                },
            ),
            NamedDialect(
                "avs",
                "The sibling protocol: `Content-ID: <id>`, a CRLF before the first delimiter, errors as plain JSON.",
                "PROTOCOL 4.3, 4.7, 5.1 (AVS), DEVICES R10",
                {
                    "multipart": {"semicolon": False, "type_parameter": True, "preamble": True},
                    "content_id": {"name": "Content-ID", "brackets": True},
                    "exceptions": "plain-json",
                },
            ),
            NamedDialect(
                "ios",
                "What the iOS client wants: a closing delimiter behind each directive of the downchannel.",
                "DEVICES R3, R6",
                {"downchannel_delimiter": "close"},
            ),
            NamedDialect(
                "plain",
                "As a multipart library writes: lower-case names, the type first, `charset=UTF-8`, no semicolon, "
                "a boundary with hyphens, nothing behind the last one, each part in a DATA frame of its own.",
                "RFC 2046 5.1.1, RFC 2045 5.1; DEVICES R3, R7, R8 say who cannot read it",
                {
                    "multipart": {"semicolon": False, "boundary": "hyphens", "end": "bare"},
                    "parts": {
                        "names": "metadata",
                        "header_case": "lower",
                        "header_order": "type first",
                        "charset": "UTF-8",
                    },
                    "data_frames": "part",
                },
            ),
            NamedDialect(
                "odd",
                "Whatever is legal and unusual: a quoted boundary, random part names, no charset, a CRLF before the "
                "first delimiter and behind the last, a dialogue in Hello, no `date`, DATA frames of 37 bytes.",
                "RFC 2046 5.1.1, RFC 9113 6.1; INF",
                {
                    "multipart": {"boundary": "quoted", "preamble": True, "end": "epilogue"},
                    "parts": {"names": "random", "charset": "none"},
                    "hello_dialogue": True,
                    "data_frames": 37,
                    "date": False,
                },
            ),
        )
    }
)
assert tuple(DIALECTS) == get_args(DialectName)

__all__ = ["DIALECTS", "DialectName", "NamedDialect"]
