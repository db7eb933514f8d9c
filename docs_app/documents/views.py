"""The start page and the pages of a document. A document that is not the person's to know is answered like one that
does not exist."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from docs_app import access
from docs_app.accounts.models import User
from docs_app.documents import verbs
from docs_app.documents.entry import find
from docs_app.documents.forms import NewDocumentForm, TitleForm
from docs_app.documents.models import Document
from docs_app.sharing.roles import Role

PER_PAGE = 50


def _person(request: HttpRequest) -> User:
    """Who is signed in, behind `login_required`."""
    assert isinstance(request.user, User)
    return request.user


@require_safe
@login_required
@ensure_csrf_cookie
def start(request: HttpRequest) -> HttpResponse:
    person = _person(request)
    mine = access.documents_of(person).select_related("workspace")
    page = Paginator(mine, PER_PAGE).get_page(request.GET.get("page"))
    roles = access.roles_of(person, list(page.object_list))
    rows = [
        {
            "document": document,
            "role": roles[document.id],
            "may_rename": access.may_rename(roles[document.id]),
        }
        for document in page.object_list
        if document.id in roles
    ]
    workspaces = list(access.workspaces_to_create_in(person))
    return render(request, "documents/start.html", {"page": page, "rows": rows, "workspaces": workspaces})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def documents(request: HttpRequest) -> HttpResponse:
    """POST makes a document and leads into it."""
    if request.method != "POST":
        return redirect("start")
    person = _person(request)
    workspaces = access.workspaces_to_create_in(person)
    if not workspaces.exists():
        raise PermissionDenied
    form = NewDocumentForm(request.POST, workspaces=workspaces)
    if not form.is_valid():
        return render(
            request, "documents/new.html", {"form": form, "choose": workspaces.count() > 1}, status=400
        )
    data = form.cleaned_data
    document = verbs.create(workspace=data["workspace"], title=data["title"], by=person)
    return redirect("document", document.id)


@require_safe
@login_required
@ensure_csrf_cookie
def document(request: HttpRequest, document_id: UUID) -> HttpResponse:
    _, found, role = find(request, document_id)
    person = _person(request)
    verbs.note_visit(document=found, by=person)
    context = {"document": found, "role": role.value, "data": _facts(person, found, role)}
    return render(request, "documents/document.html", context)


def _facts(person: User, document: Document, role: Role) -> dict[str, Any]:
    """What the page's script needs to know."""
    here = reverse("document", args=[document.id])
    return {
        "id": str(document.id),
        "title": document.title,
        "role": role.value,
        "abilities": access.abilities(person, role),
        "canEdit": access.may_write(role),
        "canRename": access.may_rename(role),
        "person": person.identity,
        "socket": "/ws/documents",
        "schemaVersion": document.schema_version,
        "epoch": document.epoch,
        "renameUrl": reverse("document_title", args=[document.id]),
        "startUrl": reverse("start"),
        "signInUrl": f"{reverse('account_login')}?{urlencode({'next': here})}",
    }


@require_POST
def title(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """Rename from a script: 204, or 400, 403 with a reason in plain text."""
    try:
        person, found, _ = find(request, document_id, "rename")
    except PermissionDenied:
        return HttpResponse(
            "You may read this document, but not rename it.", status=403, content_type="text/plain"
        )
    form = TitleForm(request.POST)
    if not form.is_valid():
        return HttpResponse(form.errors["title"][0], status=400, content_type="text/plain; charset=utf-8")
    verbs.rename(document=found, title=form.cleaned_data["title"], by=person)
    return HttpResponse(status=204)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def rename(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """Rename without a script: a small page of its own."""
    person, found, _ = find(request, document_id, "rename")
    form = TitleForm(request.POST if request.method == "POST" else None, initial={"title": found.title})
    if not form.is_valid():
        status = 400 if form.is_bound else 200
        return render(request, "documents/rename.html", {"document": found, "form": form}, status=status)
    verbs.rename(document=found, title=form.cleaned_data["title"], by=person)
    return redirect("start")
