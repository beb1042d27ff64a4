"""Scores answers with a reward model that was fitted, each with the error of the fit."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from ..core.finding import Finding
from ..core.run import Run
from ..reports.files import new_folder, write
from ..reports.story import Block, Findings, Prose, Story, Table
from ..stats import reward_file
from ..stats.reward_file import Stored
from ..tables import read_responses
from .made import Setting, Shown, fingerprints, provenance, worst_first

MOST_ROWS = 12


@dataclass(frozen=True, eq=False, repr=False)
class Scored(Shown):
    """Rewards of answers.

    Arguments:
        frame: item, policy, score, score_stderr, of each answer.
        stored: the model.
        findings: what to distrust.
        run: how it was made.
        level, seed: of intervals and draws.
    """

    frame: pl.DataFrame
    stored: Stored
    findings: tuple[Finding, ...]
    run: Run
    level: float = 0.95
    seed: int = 0

    @cached_property
    def story(self) -> Story:
        """The report as plain data."""
        return _story(self)

    def save(self, folder: str | Path) -> Path:
        """Write the page and tables of `Shown.save`, and `scores.parquet`, which `adjudge evaluate` reads.

        Arguments:
            folder: where; made when it is not there.
        """
        page, buffer = super().save(folder), io.BytesIO()
        self.frame.write_parquet(buffer)
        inputs = [name for name in self.run.data if Path(name).exists()]
        write(new_folder(folder) / "scores.parquet", buffer.getvalue(), inputs=inputs)
        return page


def score(
    source: object,
    model: str | Path,
    *,
    item: str | None = None,
    prompt: str | None = None,
    policy: str | None = None,
    response: str | None = None,
    where: str | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Scored:
    """Scores answers with a reward model.

    Arguments:
        source: a table of answers, one a row, as `tables.read_responses.read` takes it.
        model: folder that `fit` wrote.
        item, prompt, policy, response, where: columns, as there.
        level, seed: of intervals and draws.

    Errors: no such model; a table without answers; a model whose preferences follow no reward.
    """
    stored = reward_file.load(model)
    asked: dict[str, object] = {"item": item, "prompt": prompt, "policy": policy, "response": response, "where": where}
    prints = {**fingerprints(source), **fingerprints([Path(model) / reward_file.FILE])}
    told = {name: value for name, value in {**asked, "model": str(model)}.items() if value}
    setting = Setting(level, seed, prints, told, source)
    answers = read_responses.read(source, **asked)  # type: ignore[arg-type]
    rows = [(case, answer) for case in answers.rows for answer in case.answers]
    x = stored.features([case.prompt for case, _ in rows], [answer.text for _, answer in rows])
    frame = pl.DataFrame(
        {
            "item": [case.item for case, _ in rows],
            "policy": [answer.policy for _, answer in rows],
            "score": stored.model.score(x),
            "score_stderr": stored.model.score_stderr(x),
            "words": [len(answer.text.split()) for _, answer in rows],
        }
    )
    run = setting.run("adjudge.reward.score(…)", [stored.model.method])
    return Scored(frame, stored, worst_first(answers.findings), run, level, seed)


def _story(answer: Scored) -> Story:
    """The report of scores."""
    rows = []
    for name in sorted(set(answer.frame["policy"])):
        scores = answer.frame.filter(answer.frame["policy"] == name)["score"].to_numpy()
        rows.append((name, float(scores.mean()), float(scores.std()), scores.size))
    blocks: list[Block] = [
        Table(
            "Rewards by policy",
            ("Policy", "Mean", "Spread", "Answers"),
            tuple(sorted(rows, key=lambda row: -float(row[1]))[:MOST_ROWS]),
            caption="A reward has no zero: only differences mean anything.",
        )
    ]
    if answer.findings:
        blocks.append(Findings(answer.findings))
    blocks += [
        Prose(
            "What to do next",
            ("`adjudge evaluate scores.parquet --judge score --gold …` corrects these scores by trusted labels.",),
        ),
        provenance(answer.run),
    ]
    return Story(
        title=f"What does {answer.stored.model.method} say?",
        verdict=f"{answer.frame.height:,} answers of {len(rows):,} {'policy' if len(rows) == 1 else 'policies'} are "
        "scored; no gold label says yet whether the model is right.",
        blocks=tuple(blocks),
        facts=(f"{answer.frame.height:,} answers",),
    )
