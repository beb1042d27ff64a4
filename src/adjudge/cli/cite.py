"""Print the BibTeX of the papers behind methods."""

from __future__ import annotations

import click

from .. import catalogue
from ._help import examples


@click.command(
    epilog=examples("adjudge cite value.ppi", "adjudge cite value.ppi calibration.isotonic > references.bib")
)
@click.argument("addresses", nargs=-1, required=True)
def command(addresses: tuple[str, ...]) -> None:
    """Print BibTeX entries of the papers behind the methods at ADDRESSES, each paper once."""
    click.echo(catalogue.cite(*addresses))
