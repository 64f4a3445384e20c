"""A datasheet for the synthetic records, by the sections of Gebru et al. (Communications of the ACM, 2021).

The report answers what it knows. What it cannot know is left open, with who must answer it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from semblance.app import words
from semblance.app.card import plain
from semblance.app.facts import facts, guarantee, removed
from semblance.app.judged import Judged, judge
from semblance.app.views import light
from semblance.core.report import Report

HOLDER, RELEASER, COLLECTOR = "the data holder", "those who release the records", "those who collected the real records"

Answers = Iterator[tuple[str, str]]


def datasheet(report: Report) -> str:
    """The datasheet in Markdown."""
    sections = {
        "Motivation": motivation(),
        "Composition": composition(report),
        "Collection process": collection(report),
        "Preprocessing, cleaning, labelling": preprocessing(report),
        "Uses": uses(report),
        "Distribution": distribution(report),
        "Maintenance": maintenance(),
    }
    blocks = ["# Datasheet of a synthetic data set", "Open questions name who must answer them."]
    for title, answers in sections.items():
        blocks.append(f"## {title}")
        blocks += [f"**{question}**\n\n{plain(answer)}" for question, answer in answers]
    return "\n\n".join(blocks) + "\n"


def left_to(who: str) -> str:
    """An answer that somebody else has to give."""
    return f"To be answered by {who}."


def motivation() -> Answers:
    """Why the data exist."""
    yield (
        "For what purpose was the data set made?",
        left_to(RELEASER) + " Meant for: " + "; ".join(words.INTENDED) + ".",
    )
    yield "Who made it, and for whom?", left_to(RELEASER)
    yield "Who paid for it?", left_to(RELEASER)


def composition(report: Report) -> Answers:
    """What the records are."""
    s = report.subject
    told = dict(facts(report))
    written = [c for c in s.get("columns", ()) if c.get("role") != "drop"]
    yield "What does a record stand for?", "A record of an invented patient. It describes no real person."
    yield "How many records are there?", told.get("Synthetic records", "unknown")
    yield "What does each record hold?", ", ".join(f"{c['name']} ({c['kind']})" for c in written) or "unknown"
    yield "Is there a label or target?", s.get("target") or "None was declared."
    yield "Is it a sample of something larger?", _sampled(told)
    yield "Are there recommended splits?", "None. Real records that were held out stay with the data holder."
    yield "Are there errors, noise or repeats?", _light(report, "validity")
    yield "Does it relate to people, and to which groups?", _light(report, "fairness")
    yield "Could a real person be recognised?", _light(report, "privacy")
    yield "Does it hold sensitive values?", "Health data by kind; the values are invented. See the privacy findings."


def _sampled(told: Mapping[str, str]) -> str:
    real = told.get("Real records", "an unknown number of real records")
    return f"Sampled from a model of real records ({real}). How their patients were chosen is known to {COLLECTOR}."


def _light(report: Report, name: str) -> str:
    """A light of the first page as a sentence."""
    shown = light(report, name, judge(report))
    said = [words.LEVELS[shown["level"]][1].capitalize()]
    said += [shown["tally"]] if shown["tally"] else []
    said += [f"Requirements that nothing measured: {len(shown['extra'])}"] if shown["extra"] else []
    return ". ".join([*said, *_weakest(shown["worst"])]) + "."


def _weakest(worst: Judged | None) -> Iterator[str]:
    if worst is None or worst.finding.estimate is None:
        return
    e = worst.finding.estimate
    yield f"Weakest: {worst.title} {words.number(e.value)}" + words.interval(e, " (95 % interval {} to {})")


def collection(report: Report) -> Answers:
    """Where the data come from."""
    made = report.subject.get("generator")
    named = f"{made['name']}: {made.get('summary', '')}" if isinstance(made, Mapping) else words.UNKNOWN_GENERATOR
    yield "How was the data set made?", f"By a generator ({named}) that learned from real records."
    yield "What formal guarantee is there?", guarantee(report.subject.get("guarantee"))
    yield "How, when and by whom were the real records collected?", left_to(COLLECTOR)
    yield "Did an ethics board look at it?", left_to(HOLDER)
    yield "Were the patients told, and did they consent?", left_to(HOLDER)
    yield "Was the impact on the patients assessed?", left_to(HOLDER) + " The report measures what leaks about them."


def preprocessing(report: Report) -> Answers:
    """What was done before learning."""
    gone = "; ".join(f"{name}: {what}" for name, what in removed(report))
    yield "Was the data cleaned or changed?", gone or "Every column was learned as it was read."
    yield "Were rare values merged?", "Yes: values held by too few patients become one class before learning."
    yield "Are the raw data kept?", "Only inside the institution. " + left_to(HOLDER)
    yield "Is the software available?", "Yes: semblance, under the Apache License 2.0."


def uses(report: Report) -> Answers:
    """What the data are for."""
    verdict = words.verdict(report)
    yield "May it be used, and by whom?", f"{verdict}: {words.VERDICTS[verdict][1]}"
    yield "What is it meant for?", "; ".join(words.INTENDED)
    yield "What must it not be used for?", "; ".join(words.PROHIBITED)
    yield "How useful is it?", _light(report, "utility")
    yield "What was not tested?", "; ".join(words.untested(report))


def distribution(report: Report) -> Answers:
    """How it is passed on."""
    yield "Who may have it?", words.headline(report)
    yield "How is it passed on?", "As a signed folder: the command semblance verify checks every byte."
    yield "Which SHA-256 has the file?", str(report.subject.get("sha256") or "unknown")
    yield "Under which licence?", left_to(RELEASER)
    yield "When?", left_to(RELEASER)
    yield "Do other rules apply?", left_to(RELEASER) + " MAPPING.md lists what the findings speak to."


def maintenance() -> Answers:
    """What happens later."""
    yield "Who keeps it, and how can they be reached?", left_to(RELEASER)
    yield (
        "Will it be corrected or made anew?",
        left_to(RELEASER) + " Each further release tells more about the patients.",
    )
    yield "What if a patient withdraws?", left_to(HOLDER)
    yield "May others extend it?", left_to(RELEASER)
