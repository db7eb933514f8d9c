"""What the product tells open tabs.

A message to a document's group reaches the process that has it open, which passes it on (`collab/room.py`). The channel
layer may lose it; whoever listens must find the same out by reading the database.
"""

from collections.abc import Mapping
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction


def group_of(document_id: UUID) -> str:
    """The channel-layer group of a document."""
    return f"doc.{document_id.hex}"


def tell(document_id: UUID, event: Mapping[str, object]) -> None:
    """Send an event to the document's open tabs when the current transaction commits. `event["type"]` says which:
    `title` (with `title`), `access` (rights may have changed: ask again)."""
    message = {"type": "document.event", "document": document_id.hex, "event": dict(event)}

    def send() -> None:
        layer = get_channel_layer()
        if layer is None:
            raise RuntimeError("CHANNEL_LAYERS has no default layer")
        async_to_sync(layer.group_send)(group_of(document_id), message)

    transaction.on_commit(send)
