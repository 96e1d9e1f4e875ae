"""A report as one HTML page: no script, nothing from elsewhere, light and dark."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mockcic.journal.entry import Entry
from mockcic.trace.dialogue import dialogue_lines
from mockcic.trace.report import DeviceReport, Report, finding_text, unmatched_text
from mockcic.trace.svg import svg

if TYPE_CHECKING:
    import jinja2

TEMPLATES: Final = Path(__file__).parent

MOST_ENTRIES: Final = 2000
"""Of a device with more, the picture and the dialogue show the youngest: a page of more is no page any more (INF)."""


def html(report: Report) -> str:
    """The page. Everything a device sent is escaped."""
    return template("report.html.j2").render(
        report=report,
        picture=lambda device: svg(_shown(device)),
        dialogue=lambda device: "\n".join(
            click.unstyle(line) for line in dialogue_lines(_shown(device), verdicts=False)
        ),
        left_out=lambda device: max(0, len(device.entries) - MOST_ENTRIES),
        finding_text=finding_text,
        unmatched_text=unmatched_text,
    )


def _shown(device: DeviceReport) -> list[Entry]:
    return list(device.entries[-MOST_ENTRIES:])


@cache
def template(name: str) -> jinja2.Template:
    """A page of this room; everything put into it is escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(name)
