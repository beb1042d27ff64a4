"""Fits a reward model to preference pairs and says what it is worth; scores answers with one that was fitted."""

from __future__ import annotations

import inspect
import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl

from .._typing import FloatArray
from ..core.estimate import Estimate
from ..core.finding import Finding, Severity, worst
from ..core.run import Run
from ..errors import AdjudgeError
from ..reports.files import new_folder, write
from ..reports.story import Story
from ..stats import reward_file, reward_length
from ..stats.reward_file import Maker, Stored
from ..tables import read_preferences, read_responses
from ..tables.preferences import Preferences
from ..tables.reward_model import RewardModel
from .made import Setting, Shown, fingerprints, in_memory, worst_first
from .methods import called, method_at
from .reward_features import PairColumns, Progress, Read, Training, read_features, trained
from .reward_flips import Flips, estimated
from .reward_story import score_story, story

PLAIN = "bradley_terry"


@dataclass(frozen=True, eq=False, repr=False)
class Fitted(Shown):
    """A reward model with what it is worth.

    Arguments:
        table: the pairs that it was fitted to.
        model: the model, with its held-out predictions and report.
        maker: of features; None where the pairs had features of their own.
        plain: held-out predictions of a Bradley-Terry fit of the same features, beside which length is told.
        flips: how often labels are turned round, where that was asked.
        trained: figures of the training beneath; empty where there was none.
        findings: what to distrust, the worst first.
        run: how it was made.
        level, seed: of intervals and draws.
    """

    table: Preferences
    model: RewardModel
    maker: Maker | None
    plain: FloatArray
    flips: Flips | None
    trained: Mapping[str, float]
    findings: tuple[Finding, ...]
    run: Run
    level: float = 0.95
    seed: int = 0

    @property
    def stored(self) -> Stored:
        """The model with what makes its features: what is written, and what `judges.reward_model` takes."""
        return Stored(self.model, self.maker)

    @cached_property
    def _chances(self) -> dict[str, FloatArray]:
        before = {} if self.model.method.endswith(PLAIN) else {PLAIN: self.plain}
        return {**before, self.model.method.partition(".")[2]: self.model.held_out}

    @cached_property
    def longer(self) -> Estimate:
        """How often the longer response is better by the labels, and favoured by the models on pairs held out."""
        return reward_length.longer(self.table, self._chances, method=self.model.method)

    @cached_property
    def follows_length(self) -> Estimate:
        """Correlation of held-out log-odds and log lengths, before and after."""
        return reward_length.correlation(self.table, self._chances, method=self.model.method)

    @property
    def severe(self) -> bool:
        """Whether a finding is severe: the exit code 2 of the command line."""
        return worst(self.findings) is Severity.SEVERE

    @cached_property
    def story(self) -> Story:
        """The report as plain data."""
        return story(self)

    def save(self, folder: str | Path) -> Path:
        """Write the page and tables of `Shown.save`, and the model for `judges.reward_model`; the page's path.

        Arguments:
            folder: where; made when it is not there.
        """
        page = super().save(folder)
        reward_file.save(self.stored, folder)
        return page


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

    @property
    def severe(self) -> bool:
        """Whether a finding is severe."""
        return worst(self.findings) is Severity.SEVERE

    @cached_property
    def story(self) -> Story:
        """The report as plain data."""
        return score_story(self)

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


def fit(
    source: object,
    columns: PairColumns | None = None,
    *,
    model: str = PLAIN,
    features: str = "text",
    training: Training | None = None,
    flip: float | str | None = None,
    options: Mapping[str, object] | None = None,
    folder: str | Path | None = None,
    level: float = 0.95,
    seed: int = 0,
    progress: Progress | None = None,
) -> Fitted:
    """Fits a reward model to preference pairs.

    Arguments:
        source: pairs as `tables.read_preferences.read` takes them, or a table that has been read.
        columns: of the pairs, where they have unusual names.
        model: of the family `rewards`, such as `bradley_terry` or `disentangled`; hyphens may stand for underscores.
        features: `text`, `text:SIZE` or `embedding:FOLDER`; a table that has features keeps its own.
        training: of a transformer beneath the model; None for none.
        flip: how often labels are turned round: a rate, a column, `auto` to have it estimated; None takes a column
            `flip` where there is one.
        options: of the model's `fit`, such as `{"ridge": 3.0}`.
        folder: where a transformer that is trained goes; a temporary one when None.
        level: coverage of the intervals, in (0, 1).
        seed: of every random draw.
        progress: called with (updates done, in all) while a transformer is trained.

    Errors: `AdjudgeError` for pairs from which nothing can be fitted, and for models, features and options that are
    not there.

    >>> rows = [{"prompt": f"{at}?", "chosen": "yes it is", "rejected": "no"} for at in range(40)]
    >>> fit(rows, features="text:32").model.report["all"].accuracy
    1.0
    """
    module, given, named = _method(model), dict(options or {}), columns or PairColumns()
    address = module.__name__.partition(".")[2]
    asked = {"model": address, "features": features, "flip": flip, "options": given, **asdict(named)}
    asked["training"] = asdict(training) if training else None
    prints = in_memory(source) if isinstance(source, Preferences) else fingerprints(source)
    setting = Setting(level, seed, prints, {name: value for name, value in asked.items() if value}, source)
    table = _table(source, named, flip)
    if training is not None:
        loss = address.partition(".")[2]
        read = trained(table, loss, training, out=_inside(folder), options=given, seed=seed, progress=progress)
    else:
        read = Read(table, None, {}) if table.d else read_features(table, features)
    told = None
    if flip == "auto":
        told = estimated(read.table, _fitted(_method(PLAIN), read.table, {}, seed).held_out)
        read = replace(read, table=replace(read.table, flip=np.full(read.table.n, told.rate)))
    found = _fitted(module, read.table, given, seed)
    plain = found if address.endswith(PLAIN) else _fitted(_method(PLAIN), read.table, {}, seed)
    return Fitted(
        table=read.table,
        model=found,
        maker=read.maker,
        plain=plain.held_out,
        flips=told,
        trained=read.trained,
        findings=worst_first((*found.findings, *(told.findings if told else ()))),
        run=setting.run("adjudge.reward.fit(…)", [address]),
        level=level,
        seed=seed,
    )


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


def _method(name: str) -> ModuleType:
    """A method of `rewards` that is fitted to pairs. Errors: there is none."""
    module = method_at("rewards", name.replace("-", "_"))
    if "preferences" not in inspect.signature(module.fit).parameters:
        raise AdjudgeError(
            f"{name} is not fitted to pairs.", "A model of preferences.", "Type `adjudge methods rewards`."
        )
    return module


def _table(source: object, columns: PairColumns, flip: float | str | None) -> Preferences:
    """The pairs, with the flip rates that are known."""
    if not isinstance(source, Preferences):
        return read_preferences.read(source, flip=None if flip == "auto" else flip, **asdict(columns))
    return replace(source, flip=np.full(source.n, float(flip))) if isinstance(flip, (int, float)) else source


def _fitted(module: ModuleType, table: Preferences, options: Mapping[str, object], seed: int) -> RewardModel:
    """The model by one method."""
    found: RewardModel = called(module.fit, table, module.__name__.partition(".")[2], {"seed": seed, **options})
    return found


def _inside(folder: str | Path | None) -> Path | None:
    """Where the transformer of a model goes."""
    return None if folder is None else new_folder(folder) / reward_file.TRANSFORMER
