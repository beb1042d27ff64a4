"""Writes a reward model to a folder and reads it back: numbers and words only, with what makes its features.

    reward.json      method, form, names, how features are made, the held-out report
    arrays.npz       parameters, their covariance, arrays of the form
    transformer/     the model behind the features, where one was trained for them

Nothing in the folder is code: loading one runs nothing of what is in it. Limits: held-out predictions stay behind; the
covariance of more than 2,048 parameters is kept in single precision.
"""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..backends.embeddings import Embedding
from ..errors import AdjudgeError
from ..tables.preferences import Features
from ..tables.reward_model import Form, Held, RewardModel
from .reward_forms import functions
from .text_features import TextFeatures

FILE, ARRAYS, TRANSFORMER = "reward.json", "arrays.npz", "transformer"
VERSION = 1
MANY = 2048  # parameters
WRITTEN = f"{FILE} and {ARRAYS}, as `adjudge reward fit … --out FOLDER` writes them"
_BROKEN = (OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error)

Maker = TextFeatures | Embedding
"""What makes features: of responses alone, or of prompts and responses."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A reward model with what makes its features.

    Arguments:
        model: the model.
        maker: of features; None where a model was fitted on features of one's own.
    """

    model: RewardModel
    maker: Maker | None = None

    def features(self, prompts: Sequence[str], responses: Sequence[str]) -> Features:
        """[n, d] features of responses. Errors: nothing is known of how they are made."""
        if self.maker is None:
            raise AdjudgeError(
                f"{self.model.method}: this model was fitted on features of one's own.",
                "A model that makes features of texts by itself.",
                "Fit it with --features text, or call score on features.",
            )
        return made(self.maker, prompts, responses)


def made(maker: Maker, prompts: Sequence[str], responses: Sequence[str]) -> Features:
    """[n, d] features of responses to prompts.

    >>> made(TextFeatures(size=8), ["2+2?"], ["4"]).shape
    (1, 10)
    """
    return maker(responses) if isinstance(maker, TextFeatures) else maker(prompts, responses)


def save(stored: Stored, folder: str | Path) -> Path:
    """Writes a model; its folder.

    Arguments:
        stored: the model, and what makes its features.
        folder: where; made when it is not there.

    Errors: a model whose functions are of one's own; a folder that cannot be written.
    """
    model, out = stored.model, Path(folder)
    if model.form is None:
        raise AdjudgeError(
            f"{model.method}: its functions are code, and no file can hold them.",
            "A model that a method of `rewards` fitted.",
            "Keep what you need of it yourself.",
        )
    covariance = model.covariance.astype(np.float32) if model.parameters.size > MANY else model.covariance
    buffer = io.BytesIO()
    np.savez(buffer, parameters=model.parameters, covariance=covariance, **_prefixed(model.form.arrays))
    told = {
        "format": VERSION,
        "method": model.method,
        "form": {"kind": model.form.kind, "how": model.form.how, "numbers": dict(model.form.numbers)},
        "feature_names": list(model.feature_names) if stored.maker is None else len(model.feature_names),
        "features": _told(stored.maker, out),
        "report": {name: dataclasses.asdict(held) for name, held in model.report.items()},
        "figures": dict(model.figures),
    }
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in ((ARRAYS, buffer.getvalue()), (FILE, json.dumps(told, indent=1).encode())):
            (out / f".{name}.part").write_bytes(content)
            (out / f".{name}.part").replace(out / name)
    except OSError as problem:
        raise AdjudgeError(
            f"output {out}: cannot be written ({problem.strerror or problem}).",
            "A folder that may be written to, on a disk with room left.",
            "Give another with --out.",
        ) from None
    return out


def load(folder: str | Path) -> Stored:
    """Reads a model that `save` wrote.

    Arguments:
        folder: that holds reward.json.

    Errors: no such folder; files of another kind, or that do not belong together.
    """
    place = Path(folder)
    _require(place)
    try:
        told = json.loads((place / FILE).read_text(encoding="utf-8"))
        with np.load(io.BytesIO((place / ARRAYS).read_bytes()), allow_pickle=False) as given:
            arrays = {name: given[name].astype(float) for name in given.files}
        form = Form(
            told["form"]["kind"],
            told["form"]["how"],
            {name: float(value) for name, value in told["form"]["numbers"].items()},
            {name.removeprefix("form_"): array for name, array in arrays.items() if name.startswith("form_")},
        )
        maker = _maker(told["features"], place)
        names = tuple(told["feature_names"]) if maker is None else maker.names
        report = {name: Held(**held) for name, held in told["report"].items()}
        if told["format"] != VERSION or (maker is not None and len(names) != told["feature_names"]):
            raise ValueError(f"format {told['format']}, {len(names)} features")
        reward, compare = functions(form, arrays["parameters"])
        model = RewardModel(
            told["method"], arrays["parameters"], arrays["covariance"], names, compare, reward,
            report=report, figures=told["figures"], form=form,
        )  # fmt: skip
    except AdjudgeError:
        raise
    except _BROKEN as problem:
        raise AdjudgeError(
            f"reward model {folder}: {_why(problem)}.", f"A folder with {WRITTEN}.", "Fit the model again."
        ) from None
    return Stored(model, maker)


def _require(place: Path) -> None:
    """Errors: no such folder; a file; a folder that holds other things."""
    if not place.exists():
        near = place.resolve().parent
        held = sorted(one.parent.name for one in near.glob(f"*/{FILE}")) if near.is_dir() else []
        beside = f" Beside it: {', '.join(held[:10])}." if held else ""
        raise AdjudgeError(
            f"reward model {place}: there is no such folder.", f"A folder with {WRITTEN}.{beside}", "Correct the path."
        )
    if not place.is_dir():
        raise AdjudgeError(
            f"reward model {place}: this is a file.",
            f"A folder with {WRITTEN}.",
            "Name the folder that holds the model.",
        )
    lost = [name for name in (FILE, ARRAYS) if not (place / name).is_file()]
    if lost:
        raise AdjudgeError(
            f"reward model {place}: the folder has no {' and no '.join(lost)}.",
            f"A folder with {WRITTEN}.",
            "Name the folder that was given to --out, or fit the model again.",
        )


def _why(problem: Exception) -> str:
    """What is wrong with the files, in a few words."""
    if isinstance(problem, json.JSONDecodeError | UnicodeDecodeError):
        return f"{FILE} is no JSON"
    if isinstance(problem, zipfile.BadZipFile | zlib.error | EOFError):
        return f"{ARRAYS} is cut short, or no file of arrays"
    if isinstance(problem, KeyError):
        return f"{problem.args[0]!r} is missing"
    if isinstance(problem, OSError):
        return f"its files cannot be read ({problem.strerror or problem})"
    return f"its files are of another kind, or do not belong together ({problem})"


def _prefixed(arrays: Any) -> dict[str, Any]:
    return {f"form_{name}": array for name, array in arrays.items()}


def _told(maker: Maker | None, out: Path) -> dict[str, object] | None:
    """How features are made, in words; a transformer inside of the folder by its place there."""
    if maker is None:
        return None
    if isinstance(maker, TextFeatures):
        return {"kind": "text", **dataclasses.asdict(maker)}
    own = Path(maker.folder).resolve() == (out / TRANSFORMER).resolve()
    return {
        "kind": "transformer",
        "folder": TRANSFORMER if own else maker.folder,
        "inside": own,
        "pool": maker.pool,
        "context": maker.context,
    }


def _maker(told: dict[str, Any] | None, place: Path) -> Maker | None:
    if told is None:
        return None
    options = {name: value for name, value in told.items() if name != "kind"}
    if told["kind"] == "text":
        return TextFeatures(**options)
    folder = place / options["folder"] if options["inside"] else options["folder"]
    return Embedding(folder, pool=options["pool"], context=options["context"])
