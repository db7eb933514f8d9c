"""What the product tells open tabs.

A message to a document's group reaches the process that has it open, which passes it on (`collab/room.py`). The channel
layer may lose it; whoever listens must find the same out by reading the database.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import TypeVar
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction
from redis.exceptions import RedisError

# What the channel layer raises while Redis can't be reached.
LAYER_AWAY = (OSError, RedisError)

logger = logging.getLogger(__name__)

T = TypeVar("T", str, int)


def group_of(document_id: UUID) -> str:
    """The channel-layer group of a document."""
    return f"doc.{document_id.hex}"


# Every process listens to this group.
PEOPLE = "people"
# A message carries this many ids at most: tens of kilobytes.
IDS_A_MESSAGE = 1000


def tell(document_id: UUID, event: Mapping[str, object]) -> None:
    """Send an event to the document's open tabs when the current transaction commits. `event["type"]` says which:
    `title` (with `title`), `access` (rights may have changed: ask again)."""
    message: dict[str, object] = {"type": "document.event", "document": document_id.hex, "event": dict(event)}
    _send_on_commit(group_of(document_id), message)


def person_changed(user_id: int) -> None:
    """Have it looked up again, when the current transaction commits, whether this person's open tabs are still signed
    in and what they may do."""
    _send_on_commit(PEOPLE, {"type": "person.changed", "user": user_id})


def people_changed(user_ids: Iterable[int]) -> None:
    """`person_changed` for several people, in one message."""
    for ids in _portions(sorted(set(user_ids))):
        _send_on_commit(PEOPLE, {"type": "people.changed", "users": ids})


def rights_changed(document_ids: Iterable[UUID]) -> None:
    """Have everybody in these documents looked up again when the current transaction commits. A tree has many pages and
    few of them are open: one message to every process instead of one for every page."""
    for ids in _portions(sorted({document_id.hex for document_id in document_ids})):
        _send_on_commit(PEOPLE, {"type": "rights.changed", "documents": ids})


def _portions(ids: list[T]) -> Iterable[list[T]]:
    return (ids[start : start + IDS_A_MESSAGE] for start in range(0, len(ids), IDS_A_MESSAGE))


def _send_on_commit(group: str, message: dict[str, object]) -> None:
    def send() -> None:
        layer = get_channel_layer()
        if layer is None:
            raise RuntimeError("CHANNEL_LAYERS has no default layer")
        try:
            async_to_sync(layer.group_send)(group, message)
        except LAYER_AWAY as error:
            # The verb is done and stays done; open tabs learn of it by the poll.
            logger.warning("the channel layer is away: %s", error)

    transaction.on_commit(send)
