"""The first visit. Signing in and out are django-allauth's, with our templates and forms."""

from typing import cast

from allauth.core import ratelimit
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from docs_app.accounts import setup as first_visit
from docs_app.accounts.forms import SetupForm


@sensitive_post_parameters("password", "code")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def setup(request: HttpRequest) -> HttpResponse:
    if not first_visit.is_needed():
        raise Http404
    asks_for_code = first_visit.asks_for_code(request)
    if request.method != "POST":
        if asks_for_code:
            first_visit.code()
        form = SetupForm(initial={"code": request.GET.get("code", "")}, asks_for_code=asks_for_code)
        return render(request, "accounts/setup.html", {"form": form})
    # Looked up before the code is compared: somebody who guesses must not learn from the answer that they were right.
    if not ratelimit.consume(request, action="setup_code", dry_run=True):
        return cast("HttpResponse", ratelimit.respond_429(request))
    form = SetupForm(request.POST, asks_for_code=asks_for_code)
    if not form.is_valid():
        if form.has_error("code", "wrong"):
            ratelimit.consume(request, action="setup_code")
        return render(request, "accounts/setup.html", {"form": form}, status=400)
    return _set_up(request, form)


def _set_up(request: HttpRequest, form: SetupForm) -> HttpResponse:
    data = form.cleaned_data
    try:
        person = first_visit.make_first_person(
            email=data["email"], name=data["name"], password=data["password"], workspace=data["workspace"]
        )
    except first_visit.AlreadySetUpError:
        return redirect("account_login")
    login(request, person)
    return redirect("start")
