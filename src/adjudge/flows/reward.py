"""Fits a reward model to preference pairs and says what it is worth on pairs that it did not see."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType

import numpy as np

from .._typing import FloatArray
from ..errors import AdjudgeError
from ..reports.files import new_folder
from ..stats import reward_file
from ..tables import read_preferences
from ..tables.preferences import Preferences
from ..tables.reward_model import RewardModel
from .made import Setting, fingerprints, in_memory, worst_first
from .methods import called, method_at
from .reward_features import PairColumns, Progress, Read, Training, read_features, trained
from .reward_fitted import PLAIN, Fitted
from .reward_flips import estimated


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
    return Fitted(
        table=read.table,
        model=found,
        maker=read.maker,
        plain=found.held_out if address.endswith(PLAIN) else _plain(read.table, seed),
        flips=told,
        trained=read.trained,
        findings=worst_first((*found.findings, *(told.findings if told else ()))),
        run=setting.run("adjudge.reward.fit(…)", [address]),
        level=level,
        seed=seed,
    )


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


def _plain(table: Preferences, seed: int) -> FloatArray:
    """[n] held-out predictions of a Bradley-Terry fit; NaN for responses that were rated one by one."""
    if not table.compared.any():
        return np.full(table.n, np.nan)
    return _fitted(_method(PLAIN), table, {}, seed).held_out


def _inside(folder: str | Path | None) -> Path | None:
    """Where the transformer of a model goes."""
    return None if folder is None else new_folder(folder) / reward_file.TRANSFORMER
