"""One number for whoever writes, in the log and in open documents: a person by their id, a guest by the negative of
theirs, None for the server."""

from collections.abc import Collection

from docs_app.accounts.models import User
from docs_app.sharing.models import Guest


def author_of(person: User | Guest) -> int:
    return -person.pk if isinstance(person, Guest) else person.pk


def user_of(author: int | None) -> int | None:
    """The person's id, None if it is not a person."""
    return author if author is not None and author > 0 else None


def guest_of(author: int | None) -> int | None:
    """The guest's id, None if it is not a guest."""
    return -author if author is not None and author < 0 else None


def author_from(user_id: int | None, guest_id: int | None) -> int | None:
    """The number that two columns of a row stand for."""
    return user_id if guest_id is None else -guest_id


def gone(authors: Collection[int]) -> set[int]:
    """Those of these authors who are not in the database any more. 2 queries."""
    people = User.objects.filter(pk__in=[author for author in authors if author > 0])
    guests = Guest.objects.filter(pk__in=[-author for author in authors if author < 0])
    return (
        set(authors)
        - set(people.values_list("pk", flat=True))
        - {-pk for pk in guests.values_list("pk", flat=True)}
    )
