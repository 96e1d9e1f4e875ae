"""Events as the simulated device writes them."""

from __future__ import annotations

import json

from mockcic.cic.message import Context, Event
from mockcic.simulator.upload import BLOCK_BYTES, Form, blocks

EVENT = Event(
    "TextRecognizer", "Recognize", "m1", {"text": "안녕"}, "d1", (Context("Speaker", "VolumeState", {"v": 1}),)
)


def test_an_event_is_one_part_between_delimiters() -> None:
    """The bytes of PROTOCOL 3.1."""
    form = Form("B")
    head, _, text = form.metadata(EVENT).partition(b"\r\n\r\n")
    assert head == (
        b'--B\r\nContent-Disposition: form-data; name="metadata"\r\nContent-Type: application/json; charset=UTF-8'
    )
    assert json.loads(text) == EVENT.as_json()
    assert form.closing() == b"\r\n--B--\r\n"
    assert form.content_type == "multipart/form-data; boundary=B"


def test_sound_is_a_second_part() -> None:
    """PROTOCOL 3.1."""
    assert Form("B").audio_head() == (
        b'\r\n--B\r\nContent-Disposition: form-data; name="audio"\r\nContent-Type: application/octet-stream\r\n\r\n'
    )


def test_every_event_has_a_boundary_of_its_own() -> None:
    """RFC 2046 5.1.1: it must not occur inside a part."""
    assert Form().boundary != Form().boundary


def test_sound_goes_in_blocks_of_200_ms() -> None:
    """PROTOCOL 3.3: 6,400 bytes."""
    assert [len(block) for block in blocks(bytes(BLOCK_BYTES * 2 + 100))] == [6400, 6400, 100]
