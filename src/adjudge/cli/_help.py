"""What the commands' help pages share."""

from __future__ import annotations


def examples(*lines: str) -> str:
    r"""An epilog of worked examples; a line that starts with # is a remark.

    >>> print(examples("adjudge methods value").replace("\b", "<b>"))
    <b>
    Examples:
      adjudge methods value
    """
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])
