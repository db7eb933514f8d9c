"""What an update or a document deletes, compared."""

from bisect import bisect_left

from docs_app.documents.updates import Place, scan

# Per client the deleted clocks (start, end exclusive), sorted and joined.
Deletes = dict[int, list[tuple[int, int]]]


def contains(outer: Deletes, inner: Deletes) -> bool:
    """Whether everything deleted in `inner` is deleted in `outer`."""
    return all(_within(spans, outer.get(client, [])) for client, spans in inner.items())


def _within(spans: list[tuple[int, int]], outer: list[tuple[int, int]]) -> bool:
    index = 0
    for start, end in spans:
        while index < len(outer) and outer[index][1] < end:
            index += 1
        if index == len(outer) or outer[index][0] > start:
            return False
    return True


def has_edge_at(deletes: Deletes, places: set[Place]) -> bool:
    """Whether a deleted span begins or ends at one of the places. Looks at whichever is fewer."""
    if sum(map(len, deletes.values())) <= len(places):
        return any(
            Place(client, clock) in places
            for client, spans in deletes.items()
            for span in spans
            for clock in span
        )
    return any(_has_edge(deletes.get(client, []), clock) for client, clock in places)


def _has_edge(spans: list[tuple[int, int]], clock: int) -> bool:
    index = bisect_left(spans, (clock, 0))
    return (index < len(spans) and spans[index][0] == clock) or (index > 0 and spans[index - 1][1] == clock)


def deleted(update: bytes) -> Deletes:
    """What an update deletes. Raises MalformedUpdateError."""
    return scan(update).deletes
