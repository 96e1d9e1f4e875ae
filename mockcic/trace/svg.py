"""A sequence as a standalone SVG: a picture for a report, a mail or a browser, light and dark.

No script, no id, and every style under one class, so that many of them can stand in one page. Colours are classes of a
stylesheet with a dark edition; a viewer that knows no media queries shows the light one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from xml.etree import ElementTree as ET

from mockcic.journal.entry import Entry
from mockcic.trace.dialogue import harmless
from mockcic.trace.sequence import Arrow, Item, Mark, Place, Sequence, sequence
from mockcic.trace.symbols import symbol
from mockcic.trace.width import cut

TIME_WIDTH: Final = 96
LANE_GAP: Final = 300
"""Between a device and its lanes: room for the longest names of the catalogue."""
DEVICE_WIDTH: Final = 2 * LANE_GAP + 170
HEAD: Final = 64
ROW: Final = 30
ROW_WITH_DETAIL: Final = 44
PAUSE_S: Final = 5.0
"""A longer silence is said in a row of its own (INF)."""
LABEL_LETTERS: Final = 42
COLOURS: Final = 8

STYLE: Final = """
.cic-sequence{font:12px ui-sans-serif,system-ui,"Noto Sans","Noto Sans CJK KR","Apple SD Gothic Neo",sans-serif}
.cic-sequence .ground{fill:#ffffff}
.cic-sequence text{fill:#1f2328;stroke:#ffffff;stroke-width:4px;stroke-linejoin:round;paint-order:stroke}
.cic-sequence .quiet,.cic-sequence .time,.cic-sequence .pause text{fill:#656d76}
.cic-sequence .time{font-family:ui-monospace,"DejaVu Sans Mono",monospace;font-size:11px}
.cic-sequence .detail{fill:#656d76;font-size:11px}
.cic-sequence .head rect{fill:#f6f8fa;stroke:#d0d7de}
.cic-sequence .head text{stroke:none}
.cic-sequence .head .name{font-weight:600;font-size:14px}
.cic-sequence .life{stroke:#d0d7de;stroke-width:1.5}
.cic-sequence .pause line{stroke:#d0d7de;stroke-dasharray:2 5}
.cic-sequence .is-open{fill:#dbeafe;stroke:#93b8e8}
.cic-sequence .arrow line{stroke-width:1.6}
.cic-sequence .answer line{stroke-dasharray:5 4;stroke-width:1.2}
.cic-sequence .good{stroke:#1a7f37;fill:#1a7f37}
.cic-sequence .plain{stroke:#656d76;fill:#656d76}
.cic-sequence .warn{stroke:#9a6700;fill:#9a6700}
.cic-sequence .bad{stroke:#cf222e;fill:#cf222e}
.cic-sequence .trouble{stroke:#8250df;fill:#8250df}
.cic-sequence text.good,.cic-sequence text.plain,.cic-sequence text.warn,.cic-sequence text.bad{stroke:#ffffff}
.cic-sequence text.trouble{stroke:#ffffff}
.cic-sequence .hollow{fill:#ffffff}
.cic-sequence .inside{fill:none!important}
"""

DARK: Final = """
.cic-sequence .ground{fill:#0d1117}
.cic-sequence text{fill:#e6edf3;stroke:#0d1117}
.cic-sequence .quiet,.cic-sequence .time,.cic-sequence .detail,.cic-sequence .pause text{fill:#8d96a0}
.cic-sequence .head rect{fill:#161b22;stroke:#30363d}
.cic-sequence .head text{stroke:none}
.cic-sequence .life,.cic-sequence .pause line{stroke:#30363d}
.cic-sequence .is-open{fill:#12263f;stroke:#2f5f99}
.cic-sequence .good{stroke:#3fb950;fill:#3fb950}
.cic-sequence .plain{stroke:#8d96a0;fill:#8d96a0}
.cic-sequence .warn{stroke:#d29922;fill:#d29922}
.cic-sequence .bad{stroke:#f85149;fill:#f85149}
.cic-sequence .trouble{stroke:#bc8cff;fill:#bc8cff}
.cic-sequence text.good,.cic-sequence text.plain,.cic-sequence text.warn,.cic-sequence text.bad{stroke:#0d1117}
.cic-sequence text.trouble{stroke:#0d1117}
.cic-sequence .hollow{fill:#0d1117}
"""

LIGHT_HUES: Final = ("#0969da", "#8250df", "#1a7f37", "#bf3989", "#9a6700", "#0e7c86", "#bc4c00", "#57606a")
DARK_HUES: Final = ("#58a6ff", "#bc8cff", "#3fb950", "#f778ba", "#d29922", "#39c5cf", "#f0883e", "#9ea7b3")
"""A dialogue's colours, in turn."""


def svg(entries: Iterable[Entry], *, title: str = "") -> str:
    """The picture as text, beginning with `<svg`."""
    return _Picture(sequence(entries), title).draw()


class _Picture:
    """Draws from the top down; `y` is where the next row begins."""

    def __init__(self, drawn: Sequence, title: str) -> None:
        self._drawn = drawn
        self._columns = {device: index for index, device in enumerate(drawn.devices)}
        self._hues = {dialogue: index % COLOURS for index, dialogue in enumerate(drawn.dialogues)}
        self._width = TIME_WIDTH + max(1, len(drawn.devices)) * DEVICE_WIDTH
        self._root = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "class": "cic-sequence", "role": "img"})
        _text(ET.SubElement(self._root, "title"), title or "What happened")
        ET.SubElement(self._root, "style").text = _style()
        self._ground = ET.SubElement(self._root, "rect", {"class": "ground"})
        self._below = ET.SubElement(self._root, "g")
        self._rows = ET.SubElement(self._root, "g")
        self._y = HEAD + 16.0
        self._opened: dict[tuple[str, str], float] = {}
        self._running: dict[tuple[str, str], tuple[float, str]] = {}

    def draw(self) -> str:
        """All of it."""
        before: float | None = None
        for item in self._drawn.items:
            if before is not None and item.at_s - before >= PAUSE_S:
                self._pause(item.at_s - before)
            before = item.at_s
            self._item(item)
        end = self._y + 4
        for (device, _), y in self._opened.items():
            self._bar(device, "downchannel", y, end, "is-open")
        for device in self._drawn.devices:
            self._head(device, end)
        if not self._drawn.devices and not self._drawn.items:
            self._label(TIME_WIDTH, self._y, "nothing happened", "quiet")
        height = end + 12
        self._ground.attrib.update(_numbers(width=self._width, height=height))
        self._root.attrib.update(_numbers(width=self._width, height=height))
        self._root.set("viewBox", f"0 0 {self._width} {height:g}")
        return ET.tostring(self._root, encoding="unicode") + "\n"

    # ------------------------------------------------------------------ rows

    def _item(self, item: Item) -> None:
        height = ROW_WITH_DETAIL if isinstance(item, Arrow) and item.detail else ROW
        group = ET.SubElement(self._rows, "g")
        _text(ET.SubElement(group, "title"), _hover(item))
        line_y = self._y + 19
        self._label(TIME_WIDTH - 16, line_y + 4, f"{item.at_s:+.3f}", "time", group, "end")
        if isinstance(item, Arrow):
            self._arrow(group, item, line_y)
        else:
            self._mark(group, item, line_y)
        self._y += height

    def _arrow(self, group: ET.Element, arrow: Arrow, y: float) -> None:
        device, other = self._x(arrow.device, "device"), self._x(arrow.device, arrow.place)
        start, end = (device, other) if arrow.up else (other, device)
        colour = f"d{self._hues[arrow.dialogue]}" if arrow.dialogue else "plain"
        if arrow.status >= 400:
            colour = "bad"
        group.set("class", f"arrow {arrow.sort}")
        sign = 1 if end > start else -1
        edge = {"events": -5, "downchannel": 5}[arrow.place]
        start, end = (start, end + edge) if arrow.up else (start + edge, end)
        line = {"class": colour} | _numbers(x1=start, y1=y, x2=end - 7 * sign, y2=y)
        ET.SubElement(group, "line", line)
        points = f"{end:g},{y:g} {end - 9 * sign:g},{y - 4.5:g} {end - 9 * sign:g},{y + 4.5:g}"
        ET.SubElement(group, "polygon", {"class": colour, "points": points})
        middle = (device + other) / 2
        short = f"  {arrow.dialogue[:8]}" if arrow.up and arrow.dialogue else ""
        status = f"{arrow.label} · {arrow.detail}" if arrow.sort == "answer" else arrow.label
        self._label(middle, y - 5, cut(status, LABEL_LETTERS), "", group, "middle", small=short)
        if arrow.sort != "answer" and arrow.detail:
            self._label(middle, y + 14, cut(arrow.detail, LABEL_LETTERS), "detail", group, "middle")
        key = (arrow.device, arrow.stream)
        if arrow.up:
            self._running[key] = (y, colour)
        elif arrow.sort == "answer" and key in self._running:
            began, hue = self._running.pop(key)
            self._bar(arrow.device, "events", began, y, f"{hue} runs")

    def _mark(self, group: ET.Element, mark: Mark, y: float) -> None:
        x = self._x(mark.device, mark.place) if mark.device else TIME_WIDTH + 8.0
        key = (mark.device, mark.stream)
        if mark.sort == "open":
            self._opened[key] = y
        elif mark.sort == "closed" and key in self._opened:
            self._bar(mark.device, "downchannel", self._opened.pop(key), y, "is-open")
        elif mark.sort == "timeout" and key in self._running:
            began, hue = self._running.pop(key)
            self._bar(mark.device, "events", began, y, f"{hue} runs")
        group.set("class", f"mark {mark.sort}")
        colour = symbol(group, mark.sort, x, y)
        count = f" ×{mark.count}" if mark.count > 1 else ""
        left = mark.place == "events"  # its text would leave the picture
        place = (x - 12, "end") if left else (x + 12, "start")
        tone = colour if colour in ("bad", "warn", "trouble") else "quiet"
        room = LABEL_LETTERS + 18 if mark.place == "device" and mark.detail else LABEL_LETTERS
        self._label(
            place[0], y + 4, cut(mark.label + count, room), tone, group, place[1], small=_rest(mark, count, room)
        )

    def _pause(self, seconds: float) -> None:
        group = ET.SubElement(self._rows, "g", {"class": "pause"})
        y = self._y + 14
        ET.SubElement(group, "line", _numbers(x1=TIME_WIDTH, y1=y, x2=self._width - 16, y2=y))
        self._label(TIME_WIDTH - 16, y + 4, f"{seconds:.1f} s", "", group, "end")
        self._y += 24

    # ------------------------------------------------------------------ what stands behind

    def _head(self, device: str, end: float) -> None:
        group = ET.SubElement(self._below, "g", {"class": "head"})
        titles: dict[Place, tuple[str, str]] = {
            "downchannel": ("downchannel", "GET /v1/directives"),
            "device": (device, "device"),
            "events": ("events", "POST /v1/events"),
        }
        for place, (name, about) in titles.items():
            x = self._x(device, place)
            line = {"class": "life"} | _numbers(x1=x, y1=HEAD, x2=x, y2=end)
            self._below.insert(0, ET.Element("line", line))
            box = _numbers(x=x - 72, y=14, width=144, height=HEAD - 20, rx=6)
            ET.SubElement(group, "rect", box)
            self._label(x, 34, cut(name, 20), "name", group, "middle")
            self._label(x, 50, about, "detail", group, "middle")

    def _bar(self, device: str, place: Place, top: float, bottom: float, colour: str) -> None:
        x = self._x(device, place)
        box = _numbers(x=x - 4, y=top, width=8, height=max(4.0, bottom - top), rx=3)
        ET.SubElement(self._below, "rect", {"class": colour} | box)

    def _x(self, device: str, place: Place) -> float:
        middle = TIME_WIDTH + self._columns.get(device, 0) * DEVICE_WIDTH + DEVICE_WIDTH / 2
        return middle + {"downchannel": -LANE_GAP, "device": 0, "events": LANE_GAP}[place]

    def _label(
        self,
        x: float,
        y: float,
        text: str,
        style: str,
        parent: ET.Element | None = None,
        anchor: str = "start",
        *,
        small: str = "",
    ) -> None:
        attributes = {"text-anchor": anchor} | _numbers(x=x, y=y)
        if style:
            attributes["class"] = style
        element = ET.SubElement(self._rows if parent is None else parent, "text", attributes)
        _text(element, text)
        if small:
            _text(ET.SubElement(element, "tspan", {"class": "detail", "dx": "6"}), small.strip())


def _rest(mark: Mark, count: str, room: int) -> str:
    left = room + 4 - len(mark.label + count)
    return cut(mark.detail, left) if mark.detail and left > 8 else ""


def _hover(item: Item) -> str:
    """Everything, uncut, for a mouse."""
    what = f"{item.sort} {item.label}" + (f" ×{item.count}" if isinstance(item, Mark) and item.count > 1 else "")
    return "\n".join(filter(None, [f"{item.at_s:+.3f}  {item.device}  {what}", item.detail, item.dialogue]))


def _text(element: ET.Element, text: str) -> None:
    """XML knows no control characters; ElementTree escapes the rest."""
    element.text = "\n".join(str(harmless(line)) for line in text.split("\n"))


def _numbers(**values: float) -> dict[str, str]:
    return {name: f"{value:g}" for name, value in values.items()}


def _style() -> str:
    def hues(colours: Iterable[str]) -> str:
        return "\n".join(f".cic-sequence .d{index}{{stroke:{hue};fill:{hue}}}" for index, hue in enumerate(colours))

    runs = ".cic-sequence .runs{fill-opacity:.25;stroke-opacity:.6}"
    return f"{STYLE}{hues(LIGHT_HUES)}\n{runs}\n@media (prefers-color-scheme:dark){{{DARK}{hues(DARK_HUES)}\n}}\n"


__all__ = ["svg"]
