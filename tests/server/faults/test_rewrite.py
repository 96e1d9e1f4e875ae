"""Where there is nothing that an act could make wrong, there is no occasion for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockcic.cic.message import Attachment, Directive, Pieces
from mockcic.cic.raw import raw_directive
from mockcic.scenario.faults.act import Act
from mockcic.scenario.faults.fault import Fault
from mockcic.server.faults.rewrite import Known, content_ids_of, rewritten

TEXT = Directive("Clova", "RenderText", "m1", {"text": "one"}, "d2")
SPEAK = Directive("SpeechSynthesizer", "Speak", "m2", {"url": "cid:s", "list": [{"url": "cid:t"}]}, "d2")
SOUND = Attachment("s", b"sound")
BARE = Directive("Clova", "Hello", "m3")
RAW = raw_directive(b"no json", "m4")


def act(**fault: Any) -> Act:
    return Fault.model_validate(fault).act


def directive_in(pieces: Pieces | None) -> Directive:
    assert pieces is not None
    return next(piece for piece in pieces if isinstance(piece, Directive))


@pytest.mark.parametrize(
    ("fault", "pieces"),
    [
        ({"attachment": "first"}, (TEXT,)),
        ({"attachment": "missing"}, (TEXT,)),
        ({"attachment": "nowhere"}, (TEXT,)),
        ({"content_id": "wrong"}, (TEXT,)),
        ({"dialogue": "missing"}, (BARE,)),
        ({"dialogue": "foreign"}, (RAW,)),
        ({"message": "unknown-member"}, (RAW,)),
        ({"message": "same-message-id"}, (TEXT,)),
        ({"json": "deep"}, (RAW,)),
        ({"mutate": 1}, (Directive("Nobody", "Knows", "m"),)),
        ({"mutate": 1}, (RAW,)),
        ({"json": "cut"}, (SOUND,)),
    ],
)
def test_there_is_no_occasion(fault: dict[str, Any], pieces: Pieces) -> None:
    assert rewritten(act(**fault), pieces, Known()) is None


def test_all_that_a_payload_names_is_found_and_leads_nowhere_afterwards() -> None:
    assert content_ids_of(SPEAK) == {"s", "t"}
    changed = rewritten(act(attachment="nowhere"), (SPEAK, SOUND), Known())
    assert content_ids_of(directive_in(changed)).isdisjoint({"s", "t"})
    assert changed is not None
    assert changed[1] == SOUND


def test_a_stale_dialogue_is_the_one_before_and_a_new_one_where_there_was_none() -> None:
    assert directive_in(rewritten(act(dialogue="stale"), (TEXT,), Known(stale="d1"))).dialog_request_id == "d1"
    assert directive_in(rewritten(act(dialogue="stale"), (TEXT,), Known())).dialog_request_id not in (None, "d2", "")


def test_what_no_directive_can_hold_keeps_its_name_for_people_and_shows_what_can_be_read() -> None:
    made = directive_in(rewritten(act(dialogue="number"), (TEXT,), Known()))
    assert (made.full_name, made.dialog_request_id, made.payload) == ("Clova.RenderText", None, {"text": "one"})
    assert json.loads(made.encode())["directive"]["header"]["dialogRequestId"] == 4711
    cut = directive_in(rewritten(act(json="cut"), (TEXT,), Known()))
    assert (cut.full_name, cut.dialog_request_id, cut.payload) == ("Clova.RenderText", "d2", {})


def test_a_payload_without_members_has_another_type_itself() -> None:
    made = directive_in(rewritten(act(message="wrong-types"), (BARE,), Known()))
    assert json.loads(made.encode())["directive"]["payload"] == []


def test_attachments_that_are_two_have_one_id() -> None:
    pieces = (SPEAK, SOUND, Attachment("t", b"other"))
    changed = rewritten(act(content_id="double"), pieces, Known())
    assert changed is not None
    assert [piece.content_id for piece in changed if isinstance(piece, Attachment)] == ["s", "s"]


def test_a_seed_and_a_turn_give_the_same_change_and_another_turn_another() -> None:
    made = [
        {directive_in(rewritten(act(mutate=3), (SPEAK,), Known(turn=turn))).encode() for _ in range(3)}
        for turn in range(4)
    ]
    assert [len(each) for each in made] == [1, 1, 1, 1]
    assert len(set.union(*made)) > 2
