"""`mockcic verify`: was it right, on a running server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mockcic.cli.control import EXITS, Seconds, Word, asker, joined, judge, options

WAYS = ("order", "never", "no_unmatched", "no_findings", "all_rules_used")


@click.command(name="verify", short_help="Verify what happened on a running server.", epilog=EXITS)
@click.argument("words", nargs=-1, metavar="[FILTER]...")
@click.option("--times", metavar="TIMES", help='How often: 2, "1..3", "2..", "at most 1".  [default: at least once]')
@click.option("--order", is_flag=True, help="Each argument is a filter; one came after another.")
@click.option("--never", is_flag=True, help="It did not come, and does not for the time of --for.")
@click.option("--for", "for_s", type=Seconds(), default=0.0, metavar="TIME", help="With --never: how long to look on.")
@click.option("--no-unmatched", is_flag=True, help="Every event found a rule.")
@click.option("--no-findings", is_flag=True, help="No device departed from the documents.")
@click.option("--allow", multiple=True, metavar="CODE", help="With --no-findings: a code that does not count.")
@click.option("--all-rules-used", is_flag=True, help="Every rule answered at least once.")
@click.option("--scenario", metavar="NAME", help="With --all-rules-used: only the rules of this scenario.")
@click.option("--device", type=Word(), metavar="DEVICE", help="Only this device: a short name or a token.")
@click.option("--after", type=click.IntRange(min=0), metavar="NUMBER", help="Only entries younger than this one.")
@options
def command(
    words: tuple[str, ...], control: str | None, control_token: str | None, ready_file: Path | None, **given: Any
) -> None:
    """Say whether something came as often as it should; why not, field by field. Filters: docs/journal.md.

    \b
      mockcic verify SpeechRecognizer.Recognize payload.lang=ko --times 1
      mockcic verify --order SpeechRecognizer.Recognize SpeechRecognizer.StopCapture "upload seconds<2"
      mockcic verify --no-findings --allow 'multipart.*'
    """
    path, asked = question(words, given)
    asked |= {"device": given["device"], "after": given["after"]}
    client = asker(control, control_token, ready_file)
    judge(client, path, asked, as_json=given["as_json"], wait_s=given["for_s"])


def question(words: tuple[str, ...], given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Where to ask, and what."""
    chosen = [way for way in WAYS if given[way]]
    if len(chosen) > 1:
        raise click.UsageError(f"one at a time: {' or '.join('--' + way.replace('_', '-') for way in chosen)}")
    way = chosen[0] if chosen else ""
    if words and way in WAYS[2:]:
        raise click.UsageError(f"--{way.replace('_', '-')} takes no filter")
    if not words and way not in WAYS[2:]:
        raise click.UsageError("say what to verify: a filter such as SpeechRecognizer.Recognize (docs/journal.md)")
    for option, owner in (("times", ""), ("for_s", "never"), ("allow", "no_findings"), ("scenario", "all_rules_used")):
        if given[option] and way != owner:
            belongs = f"--{owner.replace('_', '-')}" if owner else "a filter alone"
            raise click.UsageError(f"--{option.removesuffix('_s')} goes with {belongs}")
    match way:
        case "order":
            return "/v1/verify/order", {"filters": list(words)}
        case "never":
            return "/v1/verify/never", {"filter": joined(words), "for": given["for_s"]}
        case "no_unmatched":
            return "/v1/verify/no-unmatched", {}
        case "no_findings":
            return "/v1/verify/no-findings", {"allow": list(given["allow"])}
        case "all_rules_used":
            return "/v1/verify/all-rules-used", {"scenario": given["scenario"]}
        case _:
            return "/v1/verify", {"filter": joined(words), "times": given["times"]}
