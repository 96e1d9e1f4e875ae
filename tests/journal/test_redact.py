"""Tokens are shortened to their last four characters wherever they could be shown."""

from __future__ import annotations

import pytest

from mockcic.journal.redact import Redaction, shortened

TOKEN = "secret-token-4f2a"


@pytest.mark.parametrize(
    ("token", "short"), [(TOKEN, "…4f2a"), ("abcde", "…bcde"), ("abcd", "…cd"), ("a", "…a"), ("", "…")]
)
def test_four_characters_are_left_and_two_of_a_short_one(token: str, short: str) -> None:
    assert shortened(token) == short


def test_credentials_in_headers_are_shortened_and_their_scheme_stays() -> None:
    headers = {"authorization": f"Bearer {TOKEN}", "cookie": "session", "user-agent": "A/b"}
    assert Redaction().headers(headers) == {"authorization": "Bearer …4f2a", "cookie": "…sion", "user-agent": "A/b"}


def test_a_token_is_found_in_every_text_of_a_value() -> None:
    value = {"a": [f"x{TOKEN}y", 1, None], TOKEN: {"b": TOKEN}}
    assert Redaction().value(value, TOKEN) == {"a": ["x…4f2ay", 1, None], "…4f2a": {"b": "…4f2a"}}
    assert Redaction().text(f"<{TOKEN}>", TOKEN) == "<…4f2a>"


@pytest.mark.parametrize("token", [TOKEN, 'it\'s "quoted"', "back\\slash-1", "토큰-비밀-입니다", "new\nline-1"])
def test_a_token_of_any_letters_is_found(token: str) -> None:
    assert Redaction().value({"a": [f"<{token}>"]}, token) == {"a": [f"<{shortened(token)}>"]}


def test_a_short_token_is_a_name_and_stays() -> None:
    assert Redaction().value({"text": "alarm-1"}, "alarm-1") == {"text": "alarm-1"}


def test_nothing_is_hidden_when_tokens_are_to_be_shown() -> None:
    shown = Redaction(show=True)
    assert shown.headers({"authorization": f"Bearer {TOKEN}"}) == {"authorization": f"Bearer {TOKEN}"}
    assert shown.value(TOKEN, TOKEN) == TOKEN


@pytest.mark.parametrize("text", [r'{"a": "aB\/cD+secret\/tok=="}', r'{"a": "\u0061B/cD+secret/tok=="}'])
def test_a_token_is_found_in_json_however_its_letters_are_written(text: str) -> None:
    token = "aB/cD+secret/tok=="
    plain = Redaction().written(text, token)
    assert Redaction().text(plain, token) == '{"a": "…ok=="}'
    assert Redaction().written('{"a": "x\\n"}', token) == '{"a": "x\\n"}'


def test_a_cookie_has_no_scheme_that_could_be_shown() -> None:
    assert Redaction().headers({"cookie": "session=SECRET123; user=bob"}) == {"cookie": "…=bob"}
    assert Redaction().headers({"authorization": "SECRETSECRET 1"}) == {"authorization": "…ET 1"}


def test_a_token_in_a_value_that_is_nested_too_deep_is_not_shown() -> None:
    value: object = TOKEN
    for _ in range(5000):
        value = [value]
    assert Redaction().value(value, TOKEN) == "a value that is nested too deep, with …4f2a in it"
