"""How trouble below HTTP/2 is written, and what cannot be is told with its place."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from mockcic.errors import ScenarioError
from mockcic.scenario.faults.fault import Fault
from mockcic.scenario.load import load_text


@pytest.mark.parametrize(
    ("written", "about", "role"),
    [
        ({"accept": "refuse"}, "the connection is reset at accept", "accept"),
        ({"accept": "rst"}, "the connection is reset when its first bytes have come", "accept"),
        ({"accept": "fin"}, "the connection is ended with FIN at accept", "accept"),
        ({"accept": "silent"}, "the connection is accepted, read and never answered", "accept"),
        (
            {"accept": {"how": "deaf", "lasts": "3s"}},
            "the connection is accepted, and neither read nor answered for 3 s, then reset",
            "accept",
        ),
        ({"accept": {"stall": "5s"}}, "nothing is said for 5 s after the accept", "accept"),
        ({"certificate": "no-chain"}, "the certificate's intermediate CA is not sent", "accept"),
        ({"tls": {"only": 1.2}}, "only TLS 1.2 is spoken", "accept"),
        ({"tls": {"only": [1.1, "1.0"]}}, "only TLS 1.0 and 1.1 is spoken", "accept"),
        ({"tls": {"alpn": "none"}}, "no protocol is negotiated by ALPN", "accept"),
        ({"tls": {"stall": "2s"}}, "the handshake stalls after the ClientHello for 2 s, then it goes on", "accept"),
        (
            {"tls": {"stall": "forever", "sent": "1KB"}},
            "the handshake stalls after 1000 bytes of the server without end",
            "accept",
        ),
        ({"tls": {"rate": 100}}, "the handshake is sent at 100 bytes a second", "accept"),
        ({"listener": "10s"}, "nobody listens for 10 s", "accept"),
        ({"cut": "no-notify"}, "the connection is ended with FIN, without TLS's close_notify", "connection"),
        ({"cut": "silent"}, "the connection is read and never answered any more", "connection"),
        (
            {"cut": "deaf", "on": "downchannel"},
            "the connection is neither read nor answered any more for 120 s, then reset",
            "downchannel",
        ),
        ({"hang_up": "goaway", "every": "1h"}, "every connection is ended at once with GOAWAY", "connection"),
    ],
)
def test_an_act_says_what_it_does(written: dict[str, Any], about: str, role: str) -> None:
    fault = Fault.model_validate(written)
    assert (fault.act.about(), fault.role) == (about, role)


@pytest.mark.parametrize(
    ("written", "where", "said"),
    [
        ("{accept: rest}", "4:", "refuse"),
        ("{accept: {how: rst, lasts: 5s}}", "4:", "with silent or deaf"),
        ("{accept: {how: rst, stall: 5s}}", "4:", "one of refuse, rst, fin, silent, deaf"),
        ("{certificate: rotten}", "4:", "expired"),
        ("{tls: {only: 3.0}}", "4:", "SSL 2 and 3"),
        ("{tls: {only: [1.2, 1.4]}}", "4:", "a TLS version that the OpenSSL here speaks"),
        ("{tls: {only: {a: 1}}}", "4:", "a TLS version that the OpenSSL here speaks"),
        ("{tls: {only: [1.0, 1.2]}}", "4:", "without a gap between them"),
        ("{tls: {only: []}}", "4:", "without a gap between them"),
        ("{tls: {only: 1.2, alpn: none}}", "4:", "exactly one of only, alpn, stall, rate"),
        ("{tls: {sent: 100}}", "4:", "exactly one of"),
        ("{tls: {rate: 100, sent: 10}}", "4:", "stall beside it"),
        ("{tls: {stall: '{{ vars.x }}'}}", "4:", ""),
        ("{cut: fin, on: accept}", "4:", "connection or answer or downchannel"),
        ("{listener: 10}", "4:", "10s"),
        ("{accept: refuse, client: myhost}", "4:", "an address or a network"),
        ("{cut: rst, client: 10.0.0.1}", "4:", "it beside what is aimed at accept"),
        ("{listener: 10s, client: 10.0.0.1}", "4:", "no `client`"),
        ("{accept: refuse, event: 'A.*'}", "4:", "client or server_name"),
        ("{accept: refuse, after: {sent: 10}}", "4:", "a duration"),
    ],
)
def test_what_cannot_be_is_told_when_the_file_is_read(written: str, where: str, said: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        load_text(f"scenario: a\non: []\nfault:\n  - {written}\n", "a.yaml")
    problem = next(each for each in raised.value.problems if each.severity == "error")
    assert problem.where.startswith(f"a.yaml:{where}")
    assert said in f"{problem.what} {problem.expected} {problem.mend}"


def test_a_version_that_openssl_cannot_speak_is_told_when_the_file_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an engine cannot do is no surprise at run time."""
    monkeypatch.setattr(ssl, "HAS_TLSv1", False)
    with pytest.raises(ScenarioError) as raised:
        load_text("scenario: a\nfault: {tls: {only: 1.0}}\n", "a.yaml")
    (problem,) = raised.value.problems
    assert (problem.line, problem.expected) == (2, "a TLS version that the OpenSSL here speaks: 1.1, 1.2, 1.3")


def test_clients_are_addresses_and_networks() -> None:
    fault = Fault.model_validate({"accept": "refuse", "client": ["192.168.0.17", "10.0.0.0/8", "fe80::/10"]})
    assert fault.client == ["192.168.0.17/32", "10.0.0.0/8", "fe80::/10"]
