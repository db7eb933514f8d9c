"""Names as they fit into a circle."""

from django import template

register = template.Library()


@register.filter
def initials(name: str) -> str:
    """The first letters of the first and the last word of a name: `Ada Lovelace` is AL."""
    words = name.split()
    ends = [words[0], words[-1]] if len(words) > 1 else words
    return "".join(word[0] for word in ends).upper()
