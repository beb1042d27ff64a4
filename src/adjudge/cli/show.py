"""Show a method's card: question, equation, limits, when to use it."""

from __future__ import annotations

import click

from .. import catalogue
from ._help import examples


@click.command(epilog=examples("adjudge show value.ppi", "adjudge show calibration.isotonic"))
@click.argument("address")
def command(address: str) -> None:
    """Show the card of the method at ADDRESS, such as value.ppi."""
    click.echo(catalogue.show(address))
