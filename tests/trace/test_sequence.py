"""What a picture shows: arrows with what they carry, marks where something is no message."""

from __future__ import annotations

from mockcic.journal.entry import KINDS
from mockcic.trace.sequence import Arrow, Mark, sequence
from tests.support.entries import Entries, a_life


def arrows(life: Entries) -> list[Arrow]:
    return [item for item in sequence(life).items if isinstance(item, Arrow)]


def marks(life: Entries) -> list[Mark]:
    return [item for item in sequence(life).items if isinstance(item, Mark)]


def test_an_event_goes_up_with_its_sound_and_its_answer_comes_down() -> None:
    found = [(each.sort, each.place, each.up, each.label, each.detail) for each in arrows(a_life())[:4]]
    assert found == [
        ("event", "events", True, "SpeechRecognizer.Recognize", "1.0 s of sound"),
        ("push", "downchannel", False, "SpeechRecognizer.StopCapture", ""),
        ("directive", "events", False, "SpeechSynthesizer.Speak", "+ 8.9 KB · “맑아요”"),
        ("answer", "events", False, "200", "1300 ms"),
    ]
    assert {each.dialogue[:8] for each in arrows(a_life())[:4]} == {"11111111"}


def test_an_attachment_belongs_to_the_directive_that_names_it() -> None:
    """Its cid stands in the payload (PROTOCOL 4.4); one that nobody names belongs to the last."""
    life = Entries()
    reply = {"stream": "c1.1", "line": "reply"}
    life.add("directive", 0.0, "A.First", **reply, payload={"audio": {"url": "cid:one"}})
    life.add("directive", 0.0, "A.Second", **reply, payload={})
    life.add("attachment", 0.0, "one", **reply, bytes=1500)
    life.add("attachment", 0.0, "two", **reply, bytes=20)
    assert [(each.label, each.detail) for each in arrows(life)] == [("A.First", "+ 1.5 KB"), ("A.Second", "+ 20 B")]


def test_what_is_no_message_is_a_mark() -> None:
    found = [(each.sort, each.device, each.place, each.count) for each in marks(a_life())]
    assert found == [
        ("connect", "…4f2a", "device", 1),
        ("open", "…4f2a", "downchannel", 1),
        ("ping", "…4f2a", "device", 2),
        ("finding", "…4f2a", "device", 1),
        ("unmatched", "…4f2a", "device", 1),
        ("error", "…4f2a", "events", 1),
        ("timeout", "…4f2a", "events", 1),
        ("error", "…4f2a", "downchannel", 1),
        *[("token", "…4f2a", "device", 1)] * 4,
        ("clock", "", "device", 1),
        ("fault", "…4f2a", "downchannel", 1),
        ("closed", "…4f2a", "downchannel", 1),
        ("disconnect", "…4f2a", "device", 1),
        ("verdict", "", "device", 1),
    ]


def test_a_connection_of_two_devices_is_marked_at_both() -> None:
    """One HTTP/2 connection may carry several tokens; its own entries know no device."""
    life = Entries()
    life.add("connect", 0.0, "127.0.0.1:5", device="", tls=False)
    life.add("downchannel", 0.1, "open", device="…aaaa", stream="c1.1")
    life.add("downchannel", 0.1, "open", device="…bbbb", stream="c1.3")
    life.add("ping", 0.2, "frame", device="")
    assert [(each.sort, each.device) for each in marks(life)] == [
        ("connect", "…aaaa"),
        ("connect", "…bbbb"),
        ("open", "…aaaa"),
        ("open", "…bbbb"),
        ("ping", "…aaaa"),
        ("ping", "…bbbb"),
    ]
    assert sequence(life).devices == ("…aaaa", "…bbbb")


def test_who_only_connects_is_not_drawn() -> None:
    """A health check of a container opens a connection every few seconds."""
    life = Entries()
    life.add("connect", 0.0, "127.0.0.1:5", device="", tls=False)
    life.add("disconnect", 0.0, "127.0.0.1:5", device="", reason="closed by the client")
    assert sequence(life).items == ()


def test_a_refused_stranger_is_a_mark_of_no_device() -> None:
    life = Entries()
    life.add("answer", 0.0, "GET /v1/directives", device="", stream="c1.1", status=401, description="no bearer token")
    assert [(each.sort, each.device, each.label, each.detail) for each in marks(life)] == [
        ("error", "", "401 GET /v1/directives", "no bearer token")
    ]


def test_a_life_has_every_kind_that_there_is() -> None:
    """So that the goldens show each; `scenario` and `chaos` say nothing in a picture."""
    assert set(KINDS) - {entry.kind for entry in a_life()} == {"scenario", "chaos"}


def test_a_fault_is_marked_where_it_strikes_and_nowhere_else() -> None:
    life = Entries()
    life.add("downchannel", 0.0, "open", stream="c1.1")
    for on in ("answer", "downchannel", "connection", "accept"):
        for phase in ("armed", "struck", "over", "gone"):
            life.add("fault", 1.0, f"at-{on}", phase=phase, act="reset", on=on, detail="RST_STREAM CANCEL")
    life.add("fault", 2.0, "hang-up", device="", phase="struck", act="hang_up", on="connection")
    life.add("fault", 2.0, "gone", device="", connection="", phase="struck", act="away", on="accept")
    assert [(each.device, each.place, each.label) for each in marks(life) if each.sort == "fault"] == [
        ("…4f2a", "events", "fault at-answer"),
        ("…4f2a", "downchannel", "fault at-downchannel"),
        ("…4f2a", "device", "fault at-connection"),
        ("…4f2a", "device", "fault at-accept"),
        ("…4f2a", "device", "fault hang-up"),
        ("", "device", "fault gone"),
    ]
