"""The picture: well-formed, with all that happened in it, nothing that runs."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from mockcic.trace.sequence import Mark, sequence
from mockcic.trace.svg import svg
from tests.support.entries import Entries, a_life

SVG = "{http://www.w3.org/2000/svg}"


def picture(life: Entries) -> ET.Element:
    return ET.fromstring(svg(life, title="a life"))


def texts(root: ET.Element, tag: str = "text") -> list[str]:
    return ["".join(each.itertext()) for each in root.iter(f"{SVG}{tag}")]


def test_everything_that_happened_is_in_it() -> None:
    root = picture(a_life())
    shown = " ".join(texts(root))
    assert texts(root, "title")[0] == "a life"
    for word in ("…4f2a", "GET /v1/directives", "POST /v1/events", "+61.000", "SpeechRecognizer.Recognize", "맑아요"):
        assert word in shown
    for item in sequence(a_life()).items:
        assert item.label in shown


def test_each_mark_has_its_symbol() -> None:
    found = [each.get("class") for each in picture(a_life()).iter(f"{SVG}g")]
    for item in sequence(a_life()).items:
        if isinstance(item, Mark):
            assert f"mark {item.sort}" in found


def test_a_dialogue_has_its_colour_and_a_refusal_is_red() -> None:
    classes = [each.get("class") for each in picture(a_life()).iter(f"{SVG}line")]
    assert classes.count("d0") == 4
    assert classes.count("bad") == 1


def test_a_long_silence_is_said() -> None:
    """Between what is drawn; the pings are one mark, at the first."""
    assert set(texts(picture(a_life()))) >= {"26.7 s", "31.0 s", "10.0 s"}


def test_a_long_name_is_cut_in_the_picture_and_whole_under_the_mouse() -> None:
    life = Entries()
    life.add("event", 0.0, "A." + "x" * 200, stream="c1.1")
    root = picture(life)
    assert any(each.endswith("x…") for each in texts(root))
    assert "x" * 200 in "".join(texts(root, "title"))


def test_it_works_in_light_and_dark_without_a_script() -> None:
    text = svg(a_life())
    assert "@media (prefers-color-scheme:dark)" in text
    assert "<script" not in text
    assert ' id="' not in text
    assert "url(" not in text


def test_nothing_is_a_picture_too() -> None:
    assert "nothing happened" in texts(picture(Entries()))


@given(st.text(), st.text())
def test_it_is_well_formed_whatever_a_device_sent(name: str, dialogue: str) -> None:
    life = Entries()
    life.add("event", 0.0, name, dialogue=dialogue, device=name or "x", stream=name, payload={"text": dialogue})
    life.add("finding", 0.0, name, device=dialogue, found=dialogue)
    assert picture(life).tag == f"{SVG}svg"
