"""The result of `adjudge.evaluate`: an answer that can show itself in a terminal, a notebook, a page or a file."""

from __future__ import annotations

from functools import cached_property

from ..reports.story import Story
from .answer import Answer
from .evaluate_story import story
from .made import Shown


class Evaluation(Shown, Answer):
    """An `Answer` and its report; its repr is the table of the command line."""

    @cached_property
    def story(self) -> Story:
        """The report as plain data."""
        return story(self)
