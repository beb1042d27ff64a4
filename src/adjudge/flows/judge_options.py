"""Options of a protocol as words give them: each made what the protocol takes, or refused by name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import partial

from ..errors import AdjudgeError
from ..judges._asking import Judge
from .method_options import require_known
from .methods import method_at

MANY = ("Sequence[str]", "tuple[str, ...]")
KINDS: dict[str, tuple[type, ...]] = {"float": (int, float), "int": (int,), "bool": (bool,)}
CALLED = {"float": "a number", "int": "a whole number", "bool": "True or False", "str": "text", "Judge": "a protocol"}


def bound(judge: Judge, address: str, options: Mapping[str, object]) -> Judge:
    """The judge with its options.

    Arguments:
        judge: the coroutine function of a protocol.
        address: its own, for errors.
        options: by name, as `--set` reads them; of a judge inside, such as that of `knockout`, the protocol's name.

    Errors: an option that it does not have, one that it lacks, one of another kind.
    """
    known = inspect.signature(judge).parameters
    names = [name for name in known if known[name].kind is inspect.Parameter.KEYWORD_ONLY]
    require_known(address, names, options)
    lacking = [name for name in names if known[name].default is inspect.Parameter.empty and name not in options]
    if lacking:
        raise AdjudgeError(
            f"{address} needs {', '.join(lacking)}.",
            "Its options without a default are given.",
            f"Give it with --set {lacking[0]}=VALUE; `adjudge show {address}` tells more.",
        )
    given = {name: _made(value, str(known[name].annotation), f"{address}: {name}") for name, value in options.items()}
    return partial(judge, **given)


def _made(value: object, annotation: str, where: str) -> object:
    """The value as its option takes it. Errors: it is of another kind."""
    kinds = {part.strip() for part in annotation.split("|")}
    if annotation in MANY:
        return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, (list, tuple)) else _refuse(
            where, value, "a list of texts"
        )  # fmt: skip
    if "Judge" in kinds and isinstance(value, str):
        module = method_at("judges", value)
        return bound(module.judge, module.__name__.partition(".")[2], {})
    if not kinds <= {*KINDS, "str", "Path", "None"}:
        return value if not isinstance(value, (str, int, float)) or "str" in kinds else _refuse(
            where, value, "something that only Python can give"
        )  # fmt: skip
    if "str" in kinds:
        return value if value is None or hasattr(value, "__fspath__") else str(value)
    told = isinstance(value, bool)
    if (value is None and "None" in kinds) or any(
        isinstance(value, KINDS[kind]) and told == (kind == "bool") for kind in kinds & set(KINDS)
    ):
        return value
    return _refuse(where, value, " or ".join(CALLED[kind] for kind in sorted(kinds & set(CALLED))))


def _refuse(where: str, value: object, wanted: str) -> object:
    raise AdjudgeError(
        f"{where} is {str(value)[:60]!r}.",
        f"It takes {wanted}.",
        f"Give such a value with --set {where.rpartition(' ')[2]}=VALUE.",
    )
