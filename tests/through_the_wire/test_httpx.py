"""httpx: every golden request over the wire, in the tolerant and in the strict way."""

from __future__ import annotations

import ssl
from typing import Any

import httpx
import pytest

from mockcic.mock import Bench
from tests.support.golden import golden, golden_names

pytestmark = pytest.mark.cic(fail_on="none")  # uploads that are wrong on purpose, and events without a rule

TOLERANT = """scenario: tolerant
settings: {same_connection: false, metadata_order: lenient, recognize_without_audio: accept}
include: [builtin/default]
"""
STRICT = """scenario: strict
settings: {same_connection: false, closing_delimiter: strict, line_ends: strict}
include: [builtin/default]
"""


def post(cic: Bench, tls: ssl.SSLContext, name: str) -> httpx.Response:
    message = golden(name)
    with httpx.Client(http1=False, http2=True, verify=tls) as client:
        return client.post(f"{cic.url}/v1/events", headers=message.headers(cic.token), content=message.body)


@pytest.mark.parametrize("name", golden_names("request"))
def test_a_golden_request_gets_its_strict_answer(cic: Bench, tls: ssl.SSLContext, name: str) -> None:
    """tests/golden/wire/README.md."""
    cic.load(STRICT)
    wanted: dict[str, Any] = golden(name).side["answer"]
    response = post(cic, tls, name)
    assert response.status_code in ((200, 204) if wanted["status"] == 200 else (wanted["status"],))
    if "description" in wanted:
        assert f'"description":"{wanted["description"]}"' in response.text


@pytest.mark.parametrize("name", [name for name in golden_names("request") if name != "huge_header.request"])
def test_a_golden_request_that_has_one_meaning_is_taken(cic: Bench, tls: ssl.SSLContext, name: str) -> None:
    """`lenient_status` of the sidecars; a part header of 64 KiB is over our limit."""
    cic.load(TOLERANT)
    wanted: dict[str, Any] = golden(name).side["answer"]
    status = wanted.get("lenient_status", wanted["status"])
    assert post(cic, tls, name).status_code in ((200, 204) if status == 200 else (status,))


def test_an_upload_over_the_limit_is_413_and_names_it(cic: Bench, tls: ssl.SSLContext) -> None:
    """PROTOCOL 8, row 26; the connection goes on."""
    cic.load("scenario: small\nsettings: {same_connection: false, limits: {body: 1000}}\n")
    message = golden("recognize.request")
    with httpx.Client(http1=False, http2=True, verify=tls) as client:
        response = client.post(f"{cic.url}/v1/events", headers=message.headers(cic.token), content=message.body)
        assert response.status_code == 413
        assert "limit of 1000 bytes" in response.text
        assert client.get(f"{cic.url}/ping", headers=message.headers(cic.token)).status_code == 204


@pytest.mark.parametrize(
    ("form", "begin", "content_type"),
    [
        ("bare", '{"header":', "multipart/related"),
        ("wrapped", '{"directive":{"header":', "multipart/related"),
        ("plain-json", '{"header":', "application/json"),
        ("empty", "", ""),
    ],
)
def test_an_exception_has_the_form_the_scenario_chose(
    cic: Bench, tls: ssl.SSLContext, form: str, begin: str, content_type: str
) -> None:
    """PROTOCOL 5.1."""
    cic.load(f"scenario: form\nsettings: {{exceptions: {form}, same_connection: false}}\n")
    response = post(cic, tls, "wrong_boundary.request")
    assert response.status_code == 400
    assert response.headers.get("content-type", "").startswith(content_type)
    assert begin in response.text
    assert (response.text == "") is (form == "empty")


def test_the_answer_is_announced_as_devices_need_it(cic: Bench, tls: ssl.SSLContext) -> None:
    """Not quoted, a semicolon behind (DEVICES R2, R3); content-type and date, nothing else (PROTOCOL 1.5)."""
    cic.load(TOLERANT)
    response = post(cic, tls, "text_recognize.request")
    boundary = response.content[2:62].decode()
    assert response.headers["content-type"] == f"multipart/related; boundary={boundary};"
    assert sorted(response.headers) == ["content-type", "date"]
    assert response.content.startswith(
        b"--" + boundary.encode() + b'\r\nContent-Disposition: form-data; name="speakDirective-'
    )
