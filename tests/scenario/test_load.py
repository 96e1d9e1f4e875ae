"""Files, folders and texts become a set of scenarios, or every problem of them."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockcic.errors import Problem, ScenarioError, StartError
from mockcic.scenario.lint_order import always_first
from mockcic.scenario.load import builtin, load, load_text, read_variable
from mockcic.scenario.model import Rule
from mockcic.scenario.scenario_set import ScenarioSet
from mockcic.scenario.source import Source
from mockcic.scenario.steps import Send
from mockcic.scenario.walk import sounds_of
from mockcic.sound import mp3
from mockcic.sound.marker import markers_in, prompt_number
from mockcic.sound.speak import Speaker


class Folder:
    """A folder of scenario files, made in a line each."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
        return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """The current folder, so that paths are as short as a user writes them."""
    monkeypatch.chdir(tmp_path)
    return Folder(Path())


def problems(*paths: str | Path, **options: object) -> list[Problem]:
    """Everything that is wrong, or nothing."""
    try:
        return list(load([Path(path) for path in paths], **options).warnings)  # type: ignore[arg-type]
    except ScenarioError as error:
        return list(error.problems)


def told(found: list[Problem]) -> list[str]:
    return [f"{problem.where}: {problem.severity}: {problem.what}" for problem in found]


SMALL = "scenario: {name}\non:\n  - event: TextRecognizer.Recognize\n    reply: none\n"


def names(loaded: ScenarioSet) -> list[str]:
    return [scenario.scenario for scenario in loaded.scenarios]


def test_the_scenario_of_the_readme_loads_without_a_warning(folder: Folder) -> None:
    """The language as it was first drawn."""
    folder.write("audio/sunny.mp3", "")
    folder.write(
        "weather.yaml",
        """\
        scenario: weather
        about: One spoken question, one spoken answer, one push later.
        profile: "2021"
        on:
          - event: SpeechRecognizer.Recognize
            when: {payload.lang: ko}
            while_uploading:
              - after: {audio: 1.0s}
                push: SpeechRecognizer.StopCapture
            reply:
              - SpeechSynthesizer.Speak: {ttsLang: ko, ttsText: 오늘은 맑아요, audio: audio/sunny.mp3}
              - Clova.RenderText: {text: 오늘은 맑아요}
          - event: SpeechSynthesizer.SpeechFinished
            reply: none                       # 204
          - event: TextRecognizer.Recognize
            when: {payload.text: {matches: "boom"}}
            exception: {code: 500, description: Internal server error}
        downchannel:
          - after: 30s
            push:
              Notifier.SetIndicator: {new: true, light: DEFAULT, assets: [], assetPlayOrder: []}
        """,
    )
    loaded = load([Path("weather.yaml")])
    assert loaded.warnings == ()
    weather = loaded.scenarios[0]
    assert weather.path == "weather.yaml"
    assert [rule.where for rule in weather.on] == ["weather.yaml:5", "weather.yaml:13", "weather.yaml:15"]
    assert [path.name for path in loaded.files] == ["weather.yaml", "sunny.mp3"]


def test_a_folder_is_its_scenario_files_sorted_at_the_top_level_only(folder: Folder) -> None:
    """One YAML file is one scenario; a folder is a set."""
    for name in ("b.yaml", "a.yml", "deeper/c.yaml", ".d.yaml", "notes.txt"):
        folder.write(name, SMALL.format(name=Path(name).stem.strip(".")))
    assert names(load([Path()])) == ["a", "b"]


def test_a_file_named_twice_is_read_once(folder: Folder) -> None:
    """`mockcic serve . a.yaml`."""
    folder.write("a.yaml", SMALL.format(name="a"))
    assert names(load([Path(), Path("a.yaml")])) == ["a"]


def test_two_scenarios_of_one_name_are_a_problem_at_the_second(folder: Folder) -> None:
    """Names are how devices and tests choose."""
    folder.write("a.yaml", SMALL.format(name="same"))
    folder.write("b.yaml", "about: b\n" + SMALL.format(name="same"))
    found = problems(".")
    assert told(found) == ['b.yaml:2:11: error: a second scenario "same"']
    assert found[0].expected == "a name of its own; the first is at a.yaml:1"


def test_a_part_in_a_folder_is_passed_over_when_somebody_includes_it(folder: Folder) -> None:
    """A file without `scenario` is a part."""
    folder.write("a.yaml", "include: part.yaml\n" + SMALL.format(name="a"))
    folder.write("part.yaml", "on:\n  - event: Alerts.*\n    reply: none\n")
    loaded = load([Path()])
    assert (names(loaded), loaded.warnings) == (["a"], ())


def test_a_part_that_nobody_includes_is_a_warning(folder: Folder) -> None:
    """The key may simply have been forgotten."""
    folder.write("a.yaml", SMALL.format(name="a"))
    folder.write("weather.yaml", "on:\n  - event: Alerts.*\n")
    found = problems(".")
    assert told(found) == ["weather.yaml:1:1: warning: nobody includes this file, and it is no scenario"]
    assert found[0].mend == "write `scenario: weather` at the top"


def test_a_file_that_is_named_must_be_a_scenario(folder: Folder) -> None:
    """Only in a folder it can be a part."""
    folder.write("weather.yaml", "on:\n  - event: Alerts.*\n")
    assert told(problems("weather.yaml")) == ['weather.yaml:1:1: error: "scenario" is missing']


def test_what_has_no_effect_in_a_part_is_a_warning(folder: Folder) -> None:
    """What a device is let in by, and what it is called, is its scenario's."""
    folder.write("a.yaml", "include: part.yaml\n" + SMALL.format(name="a"))
    folder.write("part.yaml", "tokens: [a]\non:\n  - event: Alerts.*\n")
    assert told(problems("a.yaml")) == ['part.yaml:1:1: warning: "tokens" has no effect in a file without `scenario`']


def test_own_rules_replies_and_variables_win_over_included_ones(folder: Folder) -> None:
    """The rules of an included file come behind, its replies and variables only where there are none."""
    folder.write(
        "a.yaml",
        """\
        scenario: a
        include: [parts/first.yaml, parts/second.yaml]
        vars: {city: 서울}
        replies: {hello: {Clova.RenderText: {text: mine}}}
        on:
          - event: TextRecognizer.Recognize
            reply: {use: hello}
        """,
    )
    folder.write(
        "parts/first.yaml",
        """\
        vars: {city: 부산, count: 1}
        replies:
          hello: {Clova.RenderText: {text: theirs}}
          bye: {Clova.RenderText: {text: bye}}
        on:
          - event: TextRecognizer.Recognize
        """,
    )
    folder.write("parts/second.yaml", "vars: {count: 2, more: 3}\non:\n  - event: Alerts.*\n")
    scenario = load([Path("a.yaml")]).scenarios[0]
    assert scenario.vars == {"city": "서울", "count": 1, "more": 3}
    hello = scenario.replies["hello"][0]
    assert isinstance(hello, Send)
    assert hello.payload == {"text": "mine"}
    assert sorted(scenario.replies) == ["bye", "hello"]
    assert [rule.where for rule in scenario.on] == ["a.yaml:6", "parts/first.yaml:6", "parts/second.yaml:3"]


def test_a_sound_of_an_included_file_is_beside_that_file(folder: Folder) -> None:
    """Paths are relative to the file that says them."""
    folder.write("a.yaml", "include: parts/b.yaml\n" + SMALL.format(name="a"))
    folder.write(
        "parts/b.yaml", "replies:\n  x: {SpeechSynthesizer.Speak: {ttsLang: ko, ttsText: x, audio: b.mp3}}\non: []\n"
    )
    folder.write("parts/b.mp3", "sound")
    loaded = load([Path("a.yaml")])
    assert [path.name for path in loaded.files] == ["a.yaml", "b.yaml", "b.mp3"]
    step = loaded.scenarios[0].replies["x"][0]
    assert isinstance(step, Send)
    assert step.audio is not None
    assert step.audio.content() == b"sound"


@pytest.mark.parametrize(
    ("include", "what", "expected"),
    [
        ("nowhere.yaml", '"nowhere.yaml": there is no such file', "a file at "),
        ("prat.yaml", '"prat.yaml": there is no such file', "did you mean part.yaml?"),
        ("../outside.yaml", '"../outside.yaml" is outside the scenarios\' folder', "a file inside "),
        ("/etc/passwd", '"/etc/passwd" is outside the scenarios\' folder', "a file inside "),
        ("builtin/../model", "there is no builtin/../model", "a part that comes with mockcic"),
        ("builtin/defualt", "there is no builtin/defualt", "did you mean builtin/default?"),
        ("a.yaml", '"a.yaml" includes this file again', "no circle of includes"),
    ],
)
def test_an_include_that_leads_nowhere_is_a_problem_at_its_place(
    folder: Folder, include: str, what: str, expected: str
) -> None:
    """Paths are confined to the folder, and circles refused."""
    folder.write("part.yaml", "on: []\n")
    folder.write("a.yaml", f"scenario: a\ninclude: [{include}]\n")
    found = problems("a.yaml")
    assert told(found) == [f"a.yaml:2:11: error: {what}"]
    assert expected in found[0].expected


def test_a_link_out_of_the_folder_is_outside(folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A path is judged by where it leads."""
    other = tmp_path_factory.mktemp("other") / "secret.yaml"
    other.write_text("on: []")
    (folder.path / "link.yaml").symlink_to(other)
    folder.write("a.yaml", "scenario: a\ninclude: link.yaml\n")
    assert told(problems("a.yaml")) == ['a.yaml:2:10: error: "link.yaml" is outside the scenarios\' folder']


def test_a_circle_over_two_files_is_refused(folder: Folder) -> None:
    """The file that closes it is told."""
    folder.write("a.yaml", "scenario: a\ninclude: b.yaml\n")
    folder.write("b.yaml", "include: a.yaml\n")
    assert told(problems("a.yaml")) == ['b.yaml:1:10: error: "a.yaml" includes this file again']


def test_a_chain_of_includes_has_an_end(folder: Folder) -> None:
    """Told where the file too many is named, and not by a stack that is full."""
    folder.write("a.yaml", "include: p1.yaml\n" + SMALL.format(name="a"))
    for number in range(1, 401):
        folder.write(f"p{number}.yaml", f"include: p{number + 1}.yaml\n")
    found = problems("a.yaml")
    assert told(found) == ['p50.yaml:1:10: error: "p51.yaml" is included over more than 50 files']
    assert found[0].expected == "at most 50 includes one behind the other"
    folder.write("p50.yaml", "vars: {deep: 1}\n")
    assert load([folder.path / "a.yaml"]).scenarios[0].vars["deep"] == 1


def test_files_that_are_included_in_many_ways_count_once_and_in_the_order_of_their_first_naming(folder: Folder) -> None:
    """Twenty levels of two files are a million ways."""
    folder.write("a.yaml", "include: [l0.yaml, r0.yaml]\n" + SMALL.format(name="a"))
    for level in range(20):
        below = f"include: [l{level + 1}.yaml, r{level + 1}.yaml]\n" if level < 19 else ""
        for side in "lr":
            folder.write(f"{side}{level}.yaml", f"{below}vars: {{at{level}: {side}, {side}: {level}}}\n")
    loaded = load([folder.path / "a.yaml"])
    assert [loaded.scenarios[0].vars[f"at{level}"] for level in range(20)] == ["l"] * 20
    assert [Path(name).stem for name in loaded.scenarios[0]._texts] == [
        "a",
        *(f"l{level}" for level in range(20)),
        *(f"r{level}" for level in reversed(range(20))),
    ]


def test_a_folder_that_may_not_be_read_is_told(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence, at the start and when it is reloaded."""

    def refuse(path: Path) -> object:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(StartError, match=r"cannot read .*: Permission denied"):
        load([folder.path])


def test_a_part_that_two_scenarios_include_is_told_once(folder: Folder) -> None:
    """Its problems are its own."""
    folder.write("a.yaml", "include: part.yaml\n" + SMALL.format(name="a"))
    folder.write("b.yaml", "include: part.yaml\n" + SMALL.format(name="b"))
    folder.write("part.yaml", "on:\n  - evnet: Alerts.*\n")
    assert told(problems(".")) == ['part.yaml:2:5: error: unknown key "evnet"']
    folder.write("part.yaml", "on:\n  - event: Alerts.*\n    reply: {use: nobody}\n")
    assert told(problems(".")) == ['part.yaml:3:18: error: unknown reply "nobody"']


def test_every_problem_of_every_file_is_told_in_the_order_of_the_text(folder: Folder) -> None:
    """All at once, so that one run is enough to mend them."""
    folder.write(
        "a.yaml", "scenario: a\nabuot: x\nsettings: {hello: soon}\non:\n  - event: A.B\n    go: there\n    reply: x\n"
    )
    folder.write("b.yaml", "scenario: b\nstart: [\n")
    assert [(problem.path, problem.line) for problem in problems(".")] == [
        ("a.yaml", 2), ("a.yaml", 3), ("a.yaml", 5), ("a.yaml", 7), ("b.yaml", 2),
    ]  # fmt: skip


def test_a_broken_file_does_not_hide_what_is_wrong_elsewhere_in_it(folder: Folder) -> None:
    """What the models refuse is taken out, the rest is judged."""
    folder.write(
        "a.yaml",
        """\
        scenario: a
        on:
          - evnt: TextRecognizer.Recognize
            times: 0
            reply:
              - wait: 3
              - SpeechSynthesizer.Speek: {}
              - Clova.RenderText: {txet: x}
                atach: {}
        """,
    )
    assert [(problem.line, problem.what) for problem in problems("a.yaml")] == [
        (3, 'unknown key "evnt"'),
        (4, '"times" cannot be 0'),
        (6, '"wait" cannot be 3'),
        (7, 'unknown directive "SpeechSynthesizer.Speek"'),
        (8, 'Clova.RenderText has no member "txet"'),
        (9, 'unknown key "atach"'),
    ]


def test_variables_from_outside_override_those_of_the_file(folder: Folder) -> None:
    """`--var name=value`, read as YAML reads it; included variables count."""
    folder.write("a.yaml", "include: part.yaml\nvars: {city: 부산, days: 1}\n" + SMALL.format(name="a"))
    folder.write("part.yaml", "vars: {loud: false}\n")
    variables = {"city": "off", "days": "3", "loud": "true"}
    assert load([Path("a.yaml")], variables=variables).scenarios[0].vars == {"city": "off", "days": 3, "loud": True}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ('"3"', "3"),
        ("'it''s'", "it's"),
        ("a: b", "a: b"),
        ("#fff", "#fff"),
        ("[1", "[1"),
        ("", None),
        ('"', '"'),
    ],
)
def test_a_variable_from_outside_is_a_plain_value_or_a_quoted_text(text: str, value: object) -> None:
    """What a shell passes on is never a mapping or a remark."""
    assert read_variable(text) == value


def test_a_variable_no_scenario_has_is_a_problem(folder: Folder) -> None:
    """With what was probably meant."""
    folder.write("a.yaml", "vars: {city: 부산}\n" + SMALL.format(name="a"))
    found = problems("a.yaml", variables={"ctiy": "x"})
    assert told(found) == ['--var ctiy: error: unknown variable "ctiy"']
    assert found[0].expected == "one of the scenarios' `vars`; did you mean city?"


def test_profile_and_strict_from_outside_win(folder: Folder) -> None:
    """`--profile seed --strict`."""
    folder.write("a.yaml", SMALL.format(name="a"))
    plain = load([Path("a.yaml")]).scenarios[0]
    assert (plain.profile, plain.effective.exceptions, plain.effective.event_check) == ("2021", "wrapped", "warn")
    seed = load([Path("a.yaml")], profile="seed", strict=True).scenarios[0]
    assert (seed.profile, seed.effective.exceptions, seed.effective.event_check) == ("seed", "bare", 400)


def test_a_device_gets_the_first_scenario_meant_for_it_or_the_default(folder: Folder) -> None:
    """The default is the first that is for nobody in particular, or the one that is named."""
    folder.write("a.yaml", "for: {token: weather*}\n" + SMALL.format(name="a"))
    folder.write("b.yaml", SMALL.format(name="b"))
    folder.write("c.yaml", "for: {user_agent: '*/Desk/*'}\n" + SMALL.format(name="c"))
    loaded = load([Path()])
    assert loaded.for_device("weather-1", "x").scenario == "a"
    assert loaded.for_device("t", "Acme/Desk/1.0.0 (a;b)").scenario == "c"
    assert loaded.for_device("t", "x").scenario == "b"
    assert load([Path()], default="c").for_device("t", "x").scenario == "c"


def test_a_default_that_is_no_scenario_is_told_to_the_operator(folder: Folder) -> None:
    """It comes from the command line."""
    folder.write("a.yaml", SMALL.format(name="weather"))
    with pytest.raises(StartError, match=r"there is no scenario wether; did you mean weather\?"):
        load([Path()], default="wether")


def test_a_path_that_does_not_exist_is_told_to_the_operator() -> None:
    """One sentence."""
    with pytest.raises(StartError, match=r"there is no scenario file or folder nowhere\.yaml"):
        load([Path("nowhere.yaml")])


def test_a_folder_without_scenarios_is_told_to_the_operator(tmp_path: Path) -> None:
    """One sentence, with what a scenario is."""
    with pytest.raises(StartError, match=r"a scenario is a \.yaml file with `scenario: NAME` at the top"):
        load([tmp_path])


def test_a_text_is_a_scenario_too(tmp_path: Path) -> None:
    """For tests that keep the scenario beside the claim; sounds are sought in the folder given."""
    (tmp_path / "a.mp3").write_bytes(b"sound")
    text = SMALL.format(name="a").replace("none", "{SpeechSynthesizer.Speak: {ttsLang: ko, ttsText: a, audio: a.mp3}}")
    loaded = load_text(text, "test", tmp_path)
    assert loaded.scenarios[0].on[0].where == "test:3"
    assert loaded.files == ((tmp_path / "a.mp3").resolve(),)


def test_problems_of_a_text_are_told_by_its_name() -> None:
    """And by the line in it."""
    with pytest.raises(ScenarioError, match=r"^<text>:2:1: unknown key"):
        load_text("scenario: a\nno: 1\n")


@pytest.mark.parametrize("text", ["", "[]", "5", "just words"])
def test_a_file_that_is_no_mapping_is_one_problem(text: str) -> None:
    """An empty file, a list, a word."""
    with pytest.raises(ScenarioError) as caught:
        load_text(text)
    assert len(caught.value.problems) == 1


WHOLE = """\
for: {token: a*}
settings: {hello: 2s, stop_capture: {silence: 600ms}, limits: {body: 5MiB}, ping: 204}
include: builtin/reports
vars: {a: 1}
replies: {one: Clova.Hello, two: [{use: one}, {wait: "{{ vars.a }}s"}, {push: Clova.Hello}, {set: {a: 2}, go: start}]}
on:
  - event: [TextRecognizer.Recognize, Alerts.*]
    in: start
    times: 2
    when: {payload.text: [a, b], audio.seconds: {min: 1s, max: 3}, vars.a: {not: {contains: x}}, state: start}
    in_turn: [{reply: none}, {exception: {code: 503}}, {raw: {status: 200}}]
    afterwards: [{after: 1s, every: 2s, times: 3, push: [{use: one}]}]
  - event: SpeechRecognizer.Recognize
    while_uploading: [{after: {audio: 1s}, answer: now}]
    reply:
      - SpeechSynthesizer.Speak: {audio: {tone: 440, duration: 1s}}
        dialogRequestId: none
      - push:
          - Notifier.Notify: {assets: [{assetId: d, url: "{{ cid.d }}"}], assetPlayOrder: [d], light: NONE}
            attach: {d: {tone: 9}}
      - {directive: Vendor.Secret, payload: {x: 1}}
downchannel: [{after: {event: Alerts.*}, set: {a: 1}}]
otherwise: 204
"""
KEYS = [
    "push",
    "use",
    "wait",
    "set",
    "go",
    "directive",
    "payload",
    "audio",
    "reply",
    "event",
    "when",
    "in",
    "x",
    "a.b",
    "Clova.Hello",
    "include",
    "for",
    "after",
    "is",
    "on",
]
VALUES = [
    *(None, True, 5, -1, 1.5, "x", "", "none", "{{ x", "{{ vars.q }}", "Clova.Hello", "*", "[", 10**400, "\0", "날씨"),
    *(
        [],
        {},
        [[]],
        [None],
        {"a": 1},
        {"": {}},
        {"push": {"push": 5}},
        {"wait": {}},
        {"is": [{}]},
        {"Clova.Hello": None},
    ),
]


def mutated(value: Any, random: Random) -> Any:
    """The same with something wrong somewhere."""
    if not isinstance(value, dict | list) or not value or random.random() < 0.1:
        return random.choice(VALUES)
    copy = value.copy()
    key = random.choice(list(copy)) if isinstance(copy, dict) else random.randrange(len(copy))
    match random.randrange(6):
        case 0:
            del copy[key]
        case 1 if isinstance(copy, dict):
            copy[random.choice(KEYS)] = copy.pop(key)
        case 2 if isinstance(copy, dict):
            copy[random.choice(KEYS)] = random.choice(VALUES)
        case _:
            copy[key] = mutated(copy[key], random)
    return copy


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 4))
def test_whatever_is_wrong_is_a_problem_with_its_place_and_what_was_expected(random: Random, times: int) -> None:
    """Never a traceback: a scenario is written by hand."""
    values = Source("x", WHOLE).values
    for _ in range(times):
        values = mutated(values, random)
    try:
        load_text(json.dumps({"scenario": "x", **values} if isinstance(values, dict) else values))
    except ScenarioError as error:
        for problem in error.problems:
            assert problem.line >= 1
            assert 1 <= problem.column <= len(problem.source) + 1
            assert problem.width >= 1
            assert problem.what
            assert problem.expected


def test_what_the_mutations_begin_with_is_good() -> None:
    """Else they would all end in the same place."""
    assert load_text(f"scenario: x\n{WHOLE}").warnings == ()


def test_of_thousands_of_rules_none_is_held_against_each_one_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Generated scenarios exist; they load in a second, and would take half a minute."""
    held: list[tuple[Rule, Rule]] = []

    def hold(earlier: Rule, later: Rule) -> bool:
        held.append((earlier, later))
        return always_first(earlier, later)

    monkeypatch.setattr("mockcic.scenario.lint_order.always_first", hold)
    rule = "  - {{event: TextRecognizer.Recognize, when: {{payload.text: t{}}}}}\n"
    loaded = load_text("scenario: a\non:\n" + "".join(rule.format(number) for number in (*range(1000), 7)))
    assert [warning.what for warning in loaded.warnings] == ["this rule can never win"]
    assert len(held) == 1


def test_the_builtin_scenario_loads_without_a_warning() -> None:
    """Any device gets a life at once."""
    loaded = builtin()
    assert (names(loaded), loaded.warnings) == (["default"], ())


def test_a_builtin_scenario_nobody_ships_is_told_to_the_operator() -> None:
    """With those there are."""
    with pytest.raises(StartError, match=r"there is no built-in scenario x; there are .*default"):
        builtin("x")


def test_a_text_to_say_becomes_a_sound_when_the_file_is_loaded() -> None:
    """As the tone code where there is no synthesiser."""
    head = "scenario: s\non: [{event: '*', reply: {Clova.RenderText: {text: a}, attach: {a: {say: %s}}}}]\n"
    scenario = load_text(head % "'오늘은 맑아요', as: pcm").scenarios[0]
    (sound,) = sounds_of(scenario)
    assert sound._bytes is not None
    if Speaker.program() is None:
        assert markers_in(sound.content()) == [prompt_number("오늘은 맑아요")]
    (spoken,) = sounds_of(load_text(head % "네, lang: en").scenarios[0])
    assert mp3.seconds(spoken.content()) > 0.2
    with pytest.raises(ScenarioError, match="a template to say"):
        load_text(head % '"{{ vars.x }}"')
    with pytest.raises(ScenarioError, match="nothing to say"):
        load_text(head % '" "')


@pytest.mark.parametrize(
    ("sound", "what", "expected"),
    [
        ("{tone: 440, mp3: {rate: 11025}}", "an MP3 of 11025 samples a second", "one of 16000, 22050"),
        ("{tone: 440, mp3: {rate: 48000, bitrate: 24}}", "24 kilobits a second at 48000", "one of 32, 40"),
        ("{tone: 440, mp3: {bitrate: 33}}", "33 kilobits a second", "one of 8, 16"),
        ("{tone: 440, as: wav, mp3: {rate: 48000}}", "`mp3` with as: wav", "`mp3` where silence"),
        ("{base64: AAEC, mp3: {rate: 48000}}", "`mp3` with base64", "`mp3` where silence"),
    ],
)
def test_an_mp3_that_there_is_not_is_told(sound: str, what: str, expected: str) -> None:
    speak = f"SpeechSynthesizer.Speak: {{ttsLang: ko, ttsText: a, audio: {sound}}}"
    with pytest.raises(ScenarioError) as caught:
        load_text(f"scenario: s\non: [{{event: '*', reply: [{{{speak}}}]}}]\n")
    assert [(what in each.what, expected in each.expected) for each in caught.value.problems] == [(True, True)]
