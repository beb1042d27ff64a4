"""The folders are the registry: look-up, near matches, plug-ins, citations."""

from __future__ import annotations

import subprocess
import sys
import types
from importlib import metadata

import pytest

import adjudge
from adjudge import catalogue
from adjudge.core.card import Card, Paper
from adjudge.errors import AdjudgeError

PAPER = Paper("Switching to a Better Estimator", "Ada, Bo", 2021, "A Journal", "https://example.org/1")
TWIN = Paper("Switching to a Worse Estimator", "Ada, Cy", 2021, "A Journal")
CARD = Card("Which is it?", "θ = 1", (PAPER,), ("score",), when="Always.", rows=(7,))


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two methods of somebody else's package, one of which cannot be imported."""
    module = types.ModuleType("somebody.switch")
    module.CARD = CARD
    twin = types.ModuleType("somebody.twin")
    twin.CARD = Card("Which is the other?", "θ = 2", (TWIN, PAPER), extra="no_such_extra")
    bare = types.ModuleType("somebody.bare")
    for made in (module, twin, bare):
        monkeypatch.setitem(sys.modules, made.__name__, made)
    entries = [
        metadata.EntryPoint("value.zz_switch", "somebody.switch", catalogue.PLUGINS),
        metadata.EntryPoint("value.zz_twin", "somebody.twin", catalogue.PLUGINS),
        metadata.EntryPoint("value.zz_bare", "somebody.bare", catalogue.PLUGINS),
        metadata.EntryPoint("value.zz_broken", "somebody_not_installed", catalogue.PLUGINS),
        metadata.EntryPoint("elsewhere.zz", "somebody.switch", catalogue.PLUGINS),
    ]
    monkeypatch.setattr(catalogue.metadata, "entry_points", lambda group: entries)
    catalogue._modules.cache_clear()
    yield
    catalogue._modules.cache_clear()


def test_addresses_are_files_in_alphabetical_order() -> None:
    assert list(catalogue.addresses()) == sorted(catalogue.addresses())
    assert all(address.startswith("audit.") for address in catalogue.addresses("audit"))
    assert "audit.leakage" in catalogue.addresses()
    assert not any(part.startswith("_") for address in catalogue.addresses() for part in address.split("."))


def test_looking_up_one_method_loads_one_method() -> None:
    code = (
        "import sys; from adjudge import catalogue\n"
        "catalogue.card('audit.leakage')\n"
        "known = {f'adjudge.{address}' for address in catalogue.addresses()}\n"
        "print(*sorted(known & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["adjudge.audit.leakage"]


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ("audit.leakag", "`adjudge show audit.leakage`."),
        ("leakage", "`adjudge show audit.leakage`."),
        ("qqq", "Type `adjudge methods`."),
        ("", "Type `adjudge methods`."),
        ("audit._private", None),
        ("core.estimate", None),
    ],
)
def test_an_unknown_address_names_its_neighbours(wrong: str, line: str | None) -> None:
    with pytest.raises(AdjudgeError) as caught:
        catalogue.load(wrong)
    assert repr(wrong) in caught.value.found
    assert line is None or caught.value.do == line


def test_an_unknown_family_names_its_neighbours() -> None:
    with pytest.raises(AdjudgeError) as caught:
        catalogue.methods("vlaue")
    assert caught.value.do == "`adjudge methods value`."


@pytest.mark.usefixtures("plugged")
def test_plugins_join_by_entry_point_and_only_into_families() -> None:
    rows = {row.address: row for row in catalogue.methods("value")}
    assert rows["value.zz_switch"] == catalogue.Row("value.zz_switch", "Which is it?", (7,), "")
    assert rows["value.zz_twin"].missing == "no_such_extra"
    assert "elsewhere.zz" not in catalogue.addresses()


@pytest.mark.usefixtures("plugged")
def test_a_method_that_cannot_be_loaded_is_listed_with_what_it_misses() -> None:
    rows = {row.address: row for row in catalogue.methods("value")}
    assert rows["value.zz_broken"] == catalogue.Row("value.zz_broken", "", (), "somebody_not_installed")
    assert rows["value.zz_bare"] == catalogue.Row("value.zz_bare", "", (), "CARD")


@pytest.mark.usefixtures("plugged")
def test_a_module_without_a_card_is_an_error() -> None:
    with pytest.raises(AdjudgeError, match="has no CARD"):
        catalogue.card("value.zz_bare")


@pytest.mark.usefixtures("plugged")
def test_citations_come_once_and_with_distinct_keys() -> None:
    text = catalogue.cite("value.zz_switch", "value.zz_twin", "value.zz_switch")
    assert text.count("@article") == 2
    assert "@article{ada2021switching," in text
    assert "@article{ada2021switchinga," in text


@pytest.mark.parametrize(
    ("authors", "bibtex"),
    [
        ("Ada", "Ada"),
        ("Ada, Bo", "Ada and Bo"),
        ("Ada, Bo, Cy, et al.", "Ada and Bo and Cy and others"),
        ("Ada, Bo et al.", "Ada and Bo and others"),
    ],
)
def test_authors_as_bibtex_wants_them(authors: str, bibtex: str) -> None:
    assert f"author = {{{bibtex}}}" in Paper("A Title", authors, 2001).bibtex()


@pytest.mark.usefixtures("plugged")
def test_show_prints_the_whole_card() -> None:
    text = catalogue.show("value.zz_switch")
    for part in ("value.zz_switch", "Which is it?", "θ = 1", "Always.", str(PAPER)[:30], "from somebody import switch"):
        assert part in text
    assert "pip install 'adjudge[no_such_extra]'" in catalogue.show("value.zz_twin")
    assert max(map(len, text.splitlines())) <= catalogue.WIDTH


def test_the_top_level_mirrors_the_catalogue() -> None:
    assert adjudge.methods is catalogue.methods
    assert adjudge.cite is catalogue.cite
    assert adjudge.show is catalogue.show
    assert adjudge.AdjudgeError is AdjudgeError
    assert {"evaluate", "plan", "methods"} <= set(dir(adjudge))
    with pytest.raises(AttributeError, match="evaluate, rank, compare, plan"):
        _ = adjudge.evalaute
