"""What endpoints are asked for and may answer: parameters, bodies, statuses."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import Path as InPath
from fastapi import Query

from mockcic.control import shapes
from mockcic.control.bodies import JSON_TYPE, YAML_TYPES, ZIP_TYPE
from mockcic.scenario.settings import Profile

PROBLEM_TYPE: Final = "application/problem+json"
BROKEN: Final = 409
"""A verification that is not kept: so that `curl --fail` and every HTTP client fail by themselves."""

CANNOT_SAY: Final = 410
"""A verification that would need entries that are gone."""

LONGEST_NUMBER: Final = 16
PAGE: Final = 1000
LONGEST_PAGE: Final = 100_000

PROBLEM_ANSWER: Final[dict[str, Any]] = {
    "model": shapes.Problem,
    "content": {PROBLEM_TYPE: {}, "text/plain": {"schema": {"type": "string"}}},
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    words = {
        400: "A request that cannot be read.",
        401: "A token is needed, and this is none.",
        403: "The request comes from a web page of another origin.",
        404: "There is no such thing.",
        409: "It cannot be done now; of a verification: it is broken.",
        410: "Entries that are needed are gone.",
        413: "The body is too large.",
        415: "The body is of a type that is not read.",
        422: "A member of the request is wrong.",
    }
    return {status: {**PROBLEM_ANSWER, "description": words[status]} for status in (*statuses, 401, 403)}


SCENARIO_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "A scenario: YAML, a mapping of the language as JSON, or a zip of its folder with sounds.",
        "content": {
            YAML_TYPES[0]: {"schema": {"type": "string"}},
            JSON_TYPE: {"schema": {"type": "object"}},
            ZIP_TYPE: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}

Name = Annotated[
    str, InPath(min_length=1, max_length=8192, description="A short name, with or without its …, or a token.")
]
ScenarioName = Annotated[str, InPath(min_length=1, max_length=200)]
CueName = Annotated[str, InPath(min_length=1, max_length=200, description="The name of a cue of its scenario.")]
FaultNumber = Annotated[int, InPath(ge=1, lt=2**53, description="The number of a fault.")]
OneDevice = Annotated[str | None, Query(min_length=1, max_length=8192, description="Only this device.")]
OnlyAfter = Annotated[int, Query(ge=0, lt=2**53, description="Only entries younger than the one of this number.")]
OfProfile = Annotated[Profile | None, Query(description="This profile, whatever the scenario says.")]
Called = Annotated[
    str | None, Query(min_length=1, max_length=1000, description="What messages call it, instead of <body>.")
]
IsStrict = Annotated[bool, Query(description="Refuse every departure from the documents.")]
FilterQuery = Annotated[str, Query(max_length=10_000, description="A filter (docs/journal.md).")]


Form = Literal["json", "text", "html", "junit"]
