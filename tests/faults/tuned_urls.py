"""Collab's addresses and one of the tests': a change of rights as the product makes it, from inside the server's
process, because the in-memory channel layer reaches no other."""

from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from collab.urls import urlpatterns as collab_urls
from docs_app import live
from docs_app.accounts.models import User
from docs_app.documents.models import Document
from docs_app.sharing.models import Grant
from docs_app.sharing.roles import Role
from docs_app.workspaces.models import Membership


def _guest(user: User, document: Document) -> None:
    Membership.objects.filter(user=user).update(kind=Membership.Kind.GUEST)
    live.person_changed(user.pk)


def _viewer(user: User, document: Document) -> None:
    Membership.objects.filter(user=user).update(kind=Membership.Kind.GUEST)
    Grant.objects.create(user=user, document=document, role=Role.VIEWER)
    live.tell(document.id, {"type": "access"})


def _trash(user: User, document: Document) -> None:
    Document.objects.filter(id=document.id).update(trashed_at=timezone.now())
    live.tell(document.id, {"type": "access"})


def _deactivate(user: User, document: Document) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)
    live.person_changed(user.pk)


def _sign_out(user: User, document: Document) -> None:
    for session in Session.objects.all():
        if session.get_decoded().get("_auth_user_id") == str(user.pk):
            session.delete()
    live.person_changed(user.pk)


def _new_password(user: User, document: Document) -> None:
    user.set_password("eleven brisk wagtails")
    user.save()
    live.person_changed(user.pk)


def _silently_guest(user: User, document: Document) -> None:
    """Without telling anybody, as a push that was lost."""
    Membership.objects.filter(user=user).update(kind=Membership.Kind.GUEST)


ACTS = {
    "guest": _guest,
    "viewer": _viewer,
    "trash": _trash,
    "deactivate": _deactivate,
    "sign-out": _sign_out,
    "new-password": _new_password,
    "silently-guest": _silently_guest,
}


@csrf_exempt
def act(request: HttpRequest) -> HttpResponse:
    user = User.objects.get(email=request.POST["email"])
    document = Document.objects.get(id=request.POST["document"])
    with transaction.atomic():
        ACTS[request.POST["act"]](user, document)
    return HttpResponse(status=204)


urlpatterns = [path("faults/act", act), *collab_urls]
