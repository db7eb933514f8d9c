"""How pages come to a document: find it, ask whether the person may, and note a refusal in the audit log, once."""

from typing import NamedTuple
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest

from docs_app import access
from docs_app.accounts.models import User
from docs_app.audit import trail
from docs_app.documents.models import Document
from docs_app.sharing.links import guests_in
from docs_app.sharing.models import Guest
from docs_app.sharing.roles import Role


class Found(NamedTuple):
    """Whoever asks, a person or a guest of a link, with the document and their role on it."""

    person: User | Guest
    document: Document
    role: Role


def find(
    request: HttpRequest, document_id: UUID, verb: access.Verb = "read", *, in_trash: bool = False
) -> Found:
    """The document, for somebody who may do this to it. Raises Http404 for a document that they must not know of,
    exactly as for one that does not exist, and PermissionDenied for one that they know."""
    found = access.find_for(request.user, guests_in(request.session), document_id, in_trash=in_trash)
    if found is None:
        # An id that nobody has refuses nobody anything: anybody could fill the log with them.
        if document := Document.objects.filter(id=document_id).first():
            trail.refuse(verb, by=request.user, document=document)
        raise Http404
    if not access.may(found[0], verb, found[2], in_trash=in_trash):
        trail.refuse(verb, by=found[0], document=found[1])
        raise PermissionDenied
    return Found(*found)
