"""What an update or a document deletes, as sets that can be compared."""

from collections.abc import Iterable

from docs_app.documents.updates import Span, scan


class DeleteSet:
    """Deleted clocks as sorted, joined spans per client."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self.spans: dict[int, list[tuple[int, int]]] = {}
        for client, start, end in sorted(spans):
            joined = self.spans.setdefault(client, [])
            if joined and start <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
            else:
                joined.append((start, end))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DeleteSet) and self.spans == other.spans

    __hash__ = None  # type: ignore[assignment]

    def __le__(self, other: "DeleteSet") -> bool:
        """Whether everything deleted here is deleted there."""
        return all(_within(spans, other.spans.get(client, [])) for client, spans in self.spans.items())


def _within(spans: list[tuple[int, int]], outer: list[tuple[int, int]]) -> bool:
    index = 0
    for start, end in spans:
        while index < len(outer) and outer[index][1] < end:
            index += 1
        if index == len(outer) or outer[index][0] > start:
            return False
    return True


def deleted(update: bytes) -> DeleteSet:
    """What an update deletes. Raises MalformedUpdateError."""
    return DeleteSet(scan(update).deletes)
