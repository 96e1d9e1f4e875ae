"""The OpenAPI document is right, and what it says is what is answered: asked by a client that makes things up."""

from __future__ import annotations

import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, settings
from openapi_spec_validator import validate
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mockcic.control.app import create_control
from mockcic.control.desk import Desk
from mockcic.scenario.load import load_text
from mockcic.server.app import Cic
from tests.control.conftest import SCENARIO


def make_app() -> FastAPI:
    scenarios = load_text(SCENARIO)
    cic = Cic(scenarios)
    cic.devices.find("made-up-token-4f2a", "A/b/1.0.0 (Linux;x)", ())
    return create_control(Desk(cic, scenarios, version="1.0.0"))


def test_the_document_is_valid() -> None:
    validate(make_app().openapi())


def test_every_operation_has_a_summary_and_says_its_problems() -> None:
    document = make_app().openapi()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (method, path)
            for status, answer in operation["responses"].items():
                if status[0] in "45":
                    assert "application/problem+json" in answer["content"], (method, path, status)


@schemathesis.serializer("application/zip")
def _as_bytes(_: schemathesis.SerializationContext, value: object) -> bytes:
    """Made up bytes as they are: hardly ever a zip."""
    return value if isinstance(value, bytes) else str(value).encode()


schema = schemathesis.openapi.from_asgi("/openapi.json", make_app())
LOOKING_ON = ("/v1/journal/live",)


@schema.exclude(path=list(LOOKING_ON)).parametrize()
@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
def test_what_the_document_says_is_what_is_answered(case: schemathesis.Case) -> None:
    """Made up requests, good and bad: never a 5xx, and every status, type and shape is in the document."""
    if isinstance(case.body, dict):
        for member in ("within", "for"):
            if isinstance(case.body.get(member), int | float):
                case.body[member] = min(case.body[member], 0.01)
        if case.path == "/v1/wait":
            case.body.setdefault("within", 0.01)  # seconds without it
    case.headers = {**(case.headers or {}), "host": "localhost"}
    case.call_and_validate(
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ]
    )
