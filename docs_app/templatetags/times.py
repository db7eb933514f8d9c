"""Moments as people say them."""

from datetime import datetime, timedelta

from django import template
from django.utils import timezone

register = template.Library()

_UNITS = ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute"))


@register.filter
def ago(moment: datetime) -> str:
    """`just now`, `5 minutes ago`, `yesterday`, then the date; the year only if it is another one."""
    now = timezone.localtime()
    moment = timezone.localtime(moment)
    # Clocks of two machines differ a little: what seems to come is now.
    passed = max(now - moment, timedelta(0))
    if passed >= timedelta(days=7):
        return f"{moment.day} {moment:%B}" if moment.year == now.year else f"{moment.day} {moment:%B %Y}"
    for unit, name in _UNITS:
        if count := passed // unit:
            if (count, name) == (1, "day"):
                return "yesterday"
            return f"{count} {name}{'' if count == 1 else 's'} ago"
    return "just now"
