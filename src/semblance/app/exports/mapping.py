"""Which findings speak to which requirement, and what stays for people to judge. It never says that one is met.

The rules are those of the texts named in TEXTS, in our own words; the findings are those of the report at hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from semblance.app import words
from semblance.app.card import plain
from semblance.app.judged import Judged, judge
from semblance.core.report import Report


@dataclass(frozen=True)
class Requirement:
    """What is asked, the findings that speak to it (ids, or beginnings with a trailing dot), and what they leave."""

    asked: str
    metrics: tuple[str, ...]
    people: str


MEMBERSHIP = (
    "privacy.membership",
    "privacy.membership_tpr",
    "privacy.membership_tpr_low",
    "privacy.membership_outliers",
)
COPIES = ("privacy.copies", "privacy.unique_copies", "privacy.equal_images", "privacy.unique_combinations")

TEXTS: dict[str, tuple[Requirement, ...]] = {
    "Article 29 Working Party, Opinion 05/2014 on anonymisation techniques": (
        Requirement(
            "Singling out: no person can be isolated in the data",
            ("privacy.singling_out", *COPIES),
            "Which means are reasonably likely to be used, by whom, with which knowledge",
        ),
        Requirement(
            "Linkability: records about one person cannot be linked",
            ("privacy.linkability",),
            "Which other files about the same people exist",
        ),
        Requirement(
            "Inference: no value of a person can be deduced with significant probability",
            ("privacy.inference", "privacy.attribute", "privacy.disclosed"),
            "Which values are secrets, and what others may know already",
        ),
    ),
    "EDPB, Opinion 28/2024 on AI models": (
        Requirement(
            "The likelihood of extracting training data from what is released, directly or by chance, is insignificant",
            COPIES,
            "Whether the model itself is shared, and with whom; whether it was trained lawfully",
        ),
        Requirement(
            "The likelihood of learning about a training person through queries or attacks is insignificant",
            (*MEMBERSHIP, "privacy.inference", "privacy.attribute"),
            "Whether these attacks are the state of the art for this case; what is documented, and kept up to date",
        ),
    ),
    "HIPAA, expert determination, 45 CFR 164.514(b)(1)": (
        Requirement(
            "The risk is very small that an anticipated recipient identifies a person, alone or with other information",
            ("privacy.identity", "privacy.singling_out", "privacy.linkability", *MEMBERSHIP[:1], *COPIES),
            "A person with appropriate knowledge and experience determines it, and documents methods and results; "
            "who the recipients are",
        ),
    ),
    "ISO/IEC 27559:2022, privacy enhancing data de-identification framework": (
        Requirement(
            "Context: the environment into which the data go, and the threats in it",
            (),
            "All of it: recipients, agreements, safeguards; the profile that was asked for stands for it here",
        ),
        Requirement(
            "Data: how identifiable people are in it",
            ("privacy.",),
            "Whether the thresholds of the policy fit the context",
        ),
        Requirement(
            "Mitigation and governance: what is done about the rest, before and after the release",
            (),
            "All of it: monitoring, what to do after an incident, withdrawal",
        ),
    ),
    "EU AI Act (Regulation 2024/1689), Articles 10 and 50": (
        Requirement(
            "Article 10(2)(f) and (g): data are examined for biases, and these are reduced",
            ("fairness.",),
            "Which biases matter for the purpose; whether the real records were biased",
        ),
        Requirement(
            "Article 10(3): data are relevant, representative, and as far as possible free of errors and complete",
            ("fidelity.shape", "fidelity.pairs", "fidelity.c2st", "rare.", "validity."),
            "Representative of whom; whether the purpose is served",
        ),
        Requirement(
            "Article 10(4): data fit the setting in which the system is used",
            ("fairness.subgroup_fidelity", "fairness.subgroup_utility"),
            "Which setting; whether the real records come from it",
        ),
        Requirement(
            "Article 10(5): special categories only where other data, synthetic ones among them, do not suffice",
            ("utility.gap.", "utility.inference.", "fairness.amplification."),
            "Whether detecting and correcting bias works as well with the synthetic records",
        ),
        Requirement(
            "Article 50(2): synthetic content is marked so that machines can tell",
            (),
            "Whether the duty applies; the signed manifest and croissant.json say that the records are synthetic, "
            "and a file without them does not",
        ),
    ),
    "The '7 Cs' of FDA staff (Zamzmi et al., Communications Engineering 2025, s44172-025-00450-1)": (
        Requirement(
            "Congruence: like the real data",
            ("fidelity.shape", "fidelity.pairs", "fidelity.c2st"),
            "What must be alike for the purpose",
        ),
        Requirement(
            "Coverage: as varied as the real data",
            ("fidelity.recall", "fidelity.coverage", "rare."),
            "Which rare patients matter",
        ),
        Requirement(
            "Constraint: what is impossible does not occur", ("validity.",), "The clinical rules that nobody declared"
        ),
        Requirement(
            "Completeness: nothing that is needed is missing",
            ("fidelity.missing",),
            "Which columns and patients are needed; what was dropped",
        ),
        Requirement("Compliance: privacy and other rules", ("privacy.",), "The law, and the agreements that hold"),
        Requirement(
            "Comprehension: users understand what the data are",
            (),
            "Whether the report, the card and the datasheet are understood",
        ),
        Requirement(
            "Consistency: as good everywhere, and each time",
            ("fairness.subgroup_fidelity", "fairness.subgroup_utility", "utility.gap."),
            "Other sites, other times, further synthetic sets",
        ),
    ),
}


def mapping(report: Report) -> str:
    """The map in Markdown."""
    judged = judge(report)
    blocks = [
        "# What the findings speak to",
        "This page compares nothing with a law or a standard and certifies nothing. It says which numbers of the "
        "report a person may look at who has to, and what remains to be judged.",
        f"Verdict of the policy: **{words.verdict(report)}**.",
    ]
    for title, requirements in TEXTS.items():
        head = "| Requirement | Findings of this report | What people must judge |"
        rows = (_row(one, judged) for one in requirements)
        blocks.append("\n".join([f"## {title}", "", head, "| --- | --- | --- |", *rows]))
    return "\n\n".join(blocks) + "\n"


def _row(requirement: Requirement, judged: Sequence[Judged]) -> str:
    found = "<br>".join(_told(requirement, judged))
    return f"| {plain(requirement.asked)} | {found} | {plain(requirement.people)} |"


def _told(requirement: Requirement, judged: Sequence[Judged]) -> Iterator[str]:
    """Each finding with its value and level; what is named and was not measured is said."""
    if not requirement.metrics:
        yield "none: no measurement can answer this"
    for metric in requirement.metrics:
        found = [one for one in judged if _is(one.finding.metric, metric)]
        yield from (_finding(one) for one in found)
        if not found:
            yield plain(f"{metric.rstrip('.')}: not measured in this report")


def _is(metric: str, asked: str) -> bool:
    return metric.startswith(asked) if asked.endswith(".") else metric == asked


def _finding(one: Judged) -> str:
    e, level = one.finding.estimate, words.LEVELS[one.level][1]
    if e is None:
        return plain(f"{one.title}: {one.finding.status.replace('_', ' ')}")
    return plain(f"{one.title}: {words.number(e.value)}{words.interval(e)}, {level}")
