"""The rules that keep the house habitable: sizes, words, floors, cards, and no side effects."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from adjudge import catalogue, tables
from adjudge.cli.main import group

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "adjudge"
FILES = sorted(SOURCE.rglob("*.py"))
METHODS = catalogue.addresses()
TABLES = [importlib.import_module(f"adjudge.tables.{each.name}") for each in pkgutil.iter_modules(tables.__path__)]
SCHEMAS = {kind for room in TABLES for kind in vars(room).values() if isinstance(kind, type)}
COLUMNS = {field.name for kind in SCHEMAS if dataclasses.is_dataclass(kind) for field in dataclasses.fields(kind)}

FILE_LINES, FUNCTION_LINES, FLOW_LINES, CORE_FILES, CORE_LINES = 300, 60, 200, 7, 1000
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
HEAVY = ("numpy", "scipy", "polars", "pyarrow", "pandas", "jinja2", "rich", "torch", "click")
OTHER_WORDS = {  # one word, one meaning
    "alpha": "level",
    "confidence": "level",
    "significance": "level",
    "random_state": "seed",
    "sample_weight": "weight",
    "pscore": "propensity",
    "y_true": "gold",
}
FORBIDDEN_CALLS = re.compile(
    r"(np|numpy)\.random\.(?!default_rng|Generator|SeedSequence)\w+|warnings\.(filterwarnings|simplefilter)"
    r"|(np|numpy)\.seterr\w*|random\.(seed|random|choice|shuffle|gauss|sample)|logging\.basicConfig"
)


def name_of(path: Path) -> str:
    return str(path.relative_to(SOURCE))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def code_lines(path: Path, function: ast.AST) -> int:
    """Lines of code of a function, without its docstring, blank lines and remarks."""
    docstring = function.body[0] if ast.get_docstring(function) else None
    skipped = range(docstring.lineno, docstring.end_lineno + 1) if docstring else ()
    lines = path.read_text(encoding="utf-8").splitlines()
    numbered = ((number, lines[number - 1].strip()) for number in range(function.lineno, function.end_lineno + 1))
    return sum(number not in skipped and line != "" and not line.startswith("#") for number, line in numbered)


each_file = pytest.mark.parametrize("path", FILES, ids=name_of)
each_method = pytest.mark.parametrize("address", METHODS)


# -- sizes -----------------------------------------------------------------------------------------------------------


@each_file
def test_files_and_functions_fit_in_a_head(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= (FLOW_LINES if path.parent.name == "flows" else FILE_LINES)
    long = {function.name: code_lines(path, function) for function in functions(path)}
    assert {name: count for name, count in long.items() if count > FUNCTION_LINES} == {}


def test_the_core_stays_small() -> None:
    core = [path for path in (SOURCE / "core").glob("*.py") if path.name != "__init__.py"]
    assert len(core) <= CORE_FILES
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in core) <= CORE_LINES


# -- words and manners -----------------------------------------------------------------------------------------------


@each_file
def test_arguments_speak_the_words_of_the_house(path: Path) -> None:
    for function in functions(path):
        named = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        wrong = {argument.arg: OTHER_WORDS[argument.arg] for argument in named if argument.arg in OTHER_WORDS}
        assert wrong == {}, f"{function.name}: say {wrong}"
        if path.parent.name == "cli" and function.name == "command":
            continue  # click hands over its options by name and refuses unknown ones itself
        assert function.args.kwarg is None, (
            f"{function.name} swallows misspelt arguments in **{function.args.kwarg.arg}"
        )


@each_file
def test_no_side_effects_and_no_loose_ends(path: Path) -> None:
    calls = {ast.unparse(node.func) for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)}
    forbidden = {call for call in calls if FORBIDDEN_CALLS.fullmatch(call)}
    forbidden |= calls & ({"breakpoint"} if path.parent.name == "cli" else {"print", "breakpoint"})
    assert forbidden == set()
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"\b(TO" r"DO|FIX" r"ME|XXX|raise NotImplementedError)\b", text) == []


@each_file
def test_every_public_thing_is_explained(path: Path) -> None:
    tree = tree_of(path)
    assert ast.get_docstring(tree), "the file does not say what it is for"
    public = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and node in [*tree.body, *(child for top in tree.body if isinstance(top, ast.ClassDef) for child in top.body)]
    ]
    assert [node.name for node in public if not ast.get_docstring(node)] == []


def test_nothing_names_the_machine_it_was_written_on() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    machine_path = re.compile(r"(?<![\w.])/(work|root|home|Users)/\w")
    text_files = [ROOT / name for name in listed if not name.endswith((".parquet", ".png", ".arrow"))]
    named = [
        path.name
        for path in text_files
        if path.exists() and machine_path.search(path.read_text(encoding="utf-8", errors="ignore"))
    ]
    assert named == []


# -- methods ---------------------------------------------------------------------------------------------------------


@each_method
def test_a_method_has_a_whole_card(address: str) -> None:
    card = catalogue.card(address)
    assert card.answers, "answers is empty: which question does the method answer?"
    assert card.answers.endswith(("?", ".")), "answers is one sentence"
    assert card.equation.strip(), "equation is empty"
    assert card.papers, "papers is empty: where does the method come from?"
    assert card.when, "when is empty: when should a reader use it, and what instead?"
    assert address.startswith("suites.") or set(card.needs) <= COLUMNS, "suites have file formats of their own"


def test_a_paper_is_cited_in_one_way() -> None:
    cited: dict[str, set[tuple[str, int]]] = {}
    for address in METHODS:
        for paper in catalogue.card(address).papers:
            cited.setdefault(paper.title.casefold(), set()).add((paper.authors, paper.year))
    assert {title: ways for title, ways in cited.items() if len(ways) > 1} == {}


@each_method
def test_a_method_has_its_familys_verb(address: str) -> None:
    family = catalogue.FAMILIES[address.partition(".")[0]]
    module = catalogue.load(address)
    verb = getattr(module, family.verb, None)
    assert callable(verb), f"{address} has no {family.verb}()"
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    node = next(node for node in tree.body if isinstance(node, FUNCTION) and node.name == family.verb)
    assert node.args.defaults == [], "an argument with a default is keyword-only"
    assert ">>>" in (ast.get_docstring(node) or ""), f"{address}.{family.verb} shows no example"


@each_method
def test_a_method_has_a_test_file_and_a_line_in_the_docs(address: str) -> None:
    family, _, method = address.partition(".")
    folders = (ROOT / "tests" / family, ROOT / "tests" / f"{family}_family")  # tests/data/ holds sample files
    assert any((folder / f"test_{method}.py").is_file() for folder in folders)
    assert f"`{address}`" in (ROOT / "docs" / "methods.md").read_text(encoding="utf-8"), "run `make pages`"


# -- the command line ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", group.list_commands(None))
def test_every_command_shows_a_worked_example(name: str) -> None:
    shown = CliRunner().invoke(group, [name, "--help"])
    assert shown.exit_code == 0
    assert re.search(rf"Examples:\n(.*\n)*.*adjudge {name}", shown.output)
    named = re.findall(rf"\b(?:{'|'.join(catalogue.FAMILIES)})\.[a-z]\w*", shown.output)
    assert set(named) <= set(METHODS), "an example names a method that does not exist"


# -- importing -------------------------------------------------------------------------------------------------------


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_adjudge_loads_nothing_heavy() -> None:
    loaded = run("import sys, adjudge; print(*{name.partition('.')[0] for name in sys.modules})").split()
    assert sorted(set(loaded) & set(HEAVY)) == []


def test_importing_every_module_changes_no_global_state() -> None:
    modules = [
        "adjudge." + ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        for path in FILES
        if path.name not in ("__init__.py", "__main__.py")
    ]
    run(
        "import importlib, locale, logging, os, random, warnings\n"
        "import click, jinja2, numpy as np, polars, pyarrow, pyarrow.parquet, rich.console, rich.table\n"
        "import scipy.integrate, scipy.interpolate, scipy.linalg, scipy.optimize, scipy.sparse, scipy.special, torch\n"
        "def state():\n"
        "    drawn = repr(np.random.get_state()) + repr(random.getstate())\n"
        "    return [list(warnings.filters), np.geterr(), np.get_printoptions(), drawn, dict(os.environ),\n"
        "            os.getcwd(), list(logging.getLogger().handlers), logging.getLogger().level, locale.getlocale()]\n"
        "before = state()\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "for was, now in zip(before, state(), strict=True): assert was == now, (was, now)\n"
    )
