"""What a method answers, where it comes from and when not to trust it: data that programs can print."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Paper:
    """A published source.

    Arguments:
        title: as printed.
        authors: family names, at most three, then "et al.".
        year: of the version cited.
        venue: journal, conference or preprint server.
        url: DOI or arXiv address.
        equation: which part the code follows, such as "Eq. 5" or "Algorithm 1".
    """

    title: str
    authors: str
    year: int
    venue: str = ""
    url: str = ""
    equation: str = ""

    @property
    def key(self) -> str:
        """BibTeX key: first family name, year, first long word of the title."""
        family = re.sub(r"\W", "", re.split(r",| and | et al", self.authors)[0]).lower()
        words = [word for word in re.findall(r"[A-Za-z]+", self.title) if len(word) > 3]
        return f"{family}{self.year}{words[0].lower() if words else ''}"

    def bibtex(self) -> str:
        """A BibTeX entry."""
        fields = {
            "title": f"{{{self.title}}}",
            "author": re.sub(r",?\s+et al\.?$", ", others", self.authors).replace(", ", " and "),
            "year": str(self.year),
            "journal": self.venue,
            "url": self.url,
        }
        body = ",\n".join(f"  {name} = {{{text}}}" for name, text in fields.items() if text)
        return f"@article{{{self.key},\n{body}\n}}"

    def __str__(self) -> str:
        where = ", ".join(part for part in (self.venue, self.equation) if part)
        parts = (f"{self.authors} ({self.year}). {self.title}.", where and f"{where}.", self.url)
        return " ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Card:
    """The label on a method's door; each module of a family has one as `CARD`.

    Arguments:
        answers: one sentence: the question the method answers.
        equation: Unicode, on one or a few lines.
        papers: sources, the main one first.
        needs: columns of the table's schema, such as `score` and `gold`.
        assumes: what must hold for the number to mean what it says.
        limits: what the method becomes at its limits, and where it fails.
        when: prose: when to use it, and what to use instead.
        unit: what its values are in, in words for an axis; empty where that depends on the table.
        rows: rows of the methods list that it fulfils.
        extra: the optional dependency it needs, such as `torch`; empty for none.
    """

    answers: str
    equation: str
    papers: tuple[Paper, ...]
    needs: tuple[str, ...] = ()
    assumes: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    when: str = ""
    unit: str = ""
    rows: tuple[int, ...] = ()
    extra: str = ""
