"""Writes the pages of docs/ that are made from the code: methods.md from the cards, cli.md from the help texts.

python tools/pages.py            write them
python tools/pages.py --check    fail, and write nothing, when one is stale
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import click

import adjudge
from adjudge import catalogue
from adjudge.cli.main import group
from adjudge.core.card import Card

DOCS = Path(__file__).parents[1] / "docs"
README = Path(__file__).parents[1] / "README.md"
MADE = "<!-- made by tools/pages.py from the code: edit the {}, then run `make pages` -->\n"
TITLES = {
    "value": "Values: which policy is better?",
    "calibration": "Calibration: what does a score stand for?",
    "audit": "Audit: what should I distrust?",
    "data": "Data: which rows matter?",
}


def methods_page() -> str:
    """The index of methods, then each card."""
    page = [MADE.format("cards"), "# Methods\n"]
    page.append(
        "Each method is a file, and its address is the file's name: `value.ppi` is `src/adjudge/value/ppi.py`. "
        "`adjudge show value.ppi` prints its card, `adjudge cite value.ppi` its papers. "
        "[How to choose](how-to-choose.md) says which to take.\n"
    )
    for family in catalogue.FAMILIES.values():
        addresses = catalogue.addresses(family.name)
        if not addresses:
            continue
        cards = {address: catalogue.card(address) for address in addresses}
        page.append(f"## {TITLES.get(family.name, family.name)}\n")
        page.append(f"`{family.verb}(…)` gives {family.gives}.\n")
        page.append("| address | question |\n|---|---|")
        page += [index_line(address, card.answers) for address, card in cards.items()]
        page.append("")
        page += [section(address, card) for address, card in cards.items()]
    return "\n".join(page)


def index_line(address: str, answers: str) -> str:
    """The line of a method in its family's table."""
    return f"| [`{address}`](#{address.replace('.', '')}) | {answers} |"


def section(address: str, card: Card) -> str:
    """A card as Markdown."""
    lines = [f"### {address}\n", f"{card.answers}\n", "```text", card.equation.strip("\n"), "```\n"]
    if card.when:
        lines.append(f"**When.** {card.when}\n")
    for title, entries in (("Assumes", card.assumes), ("Limits", card.limits)):
        if entries:
            lines += [f"**{title}**\n", *(f"- {entry}" for entry in entries), ""]
    if card.extra:
        lines.append(f"**Install** with `pip install 'adjudge[{card.extra}]'`.\n")
    lines += ["**Papers**\n", *(f"- {paper}" for paper in card.papers)]
    return "\n".join([*lines, ""])


def cli_page() -> str:
    """Every command's help."""
    page = [MADE.format("commands"), "# Command line\n"]
    page.append(
        "Exit codes: 0 done; 1 it could not be done, and the message says what to do; 2 done, and a finding is severe; "
        "130 interrupted.\n"
    )
    return "\n".join([*page, *_help(click.Context(group, info_name="adjudge", terminal_width=100))])


def _help(context: click.Context) -> list[str]:
    """The help of a command, and of the commands inside it."""
    command = context.command
    page = [f"## {context.command_path}\n", "```text", command.get_help(context), "```\n"]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            page += _help(click.Context(inner, info_name=name, parent=context, terminal_width=100))
    return page


def sample() -> str:
    """README with what `make demo` prints, wrapped to the page."""
    text = README.read_text(encoding="utf-8")
    shown = str(adjudge.evaluate("arena", judge="judge_score", gold="oracle_label")).rstrip()
    lines = [
        wrapped
        for line in shown.splitlines()
        for wrapped in textwrap.wrap(line, 112, subsequent_indent=" " * 8) or [""]
    ]
    head, _, rest = text.partition("<!-- demo -->")
    _, _, tail = rest.partition("<!-- /demo -->")
    block = "\n".join(["", "```text", *(line.rstrip() for line in lines), "```", ""])
    return f"{head}<!-- demo -->{block}<!-- /demo -->{tail}"


def main(arguments: list[str]) -> int:
    """Write or check the pages."""
    pages = {DOCS / "methods.md": methods_page(), DOCS / "cli.md": cli_page()}
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in arguments:
        for path in stale:
            print(f"docs/{path.name} does not say what the code says. Run `make pages`.")
        return bool(stale)
    for path in stale:
        path.write_text(pages[path], encoding="utf-8")
        print(f"wrote docs/{path.name}")
    README.write_text(sample(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
