"""How django-allauth treats accounts here."""

from typing import ClassVar
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest

from docs_app import live
from docs_app.accounts.models import User


class AccountAdapter(DefaultAccountAdapter):
    error_messages: ClassVar[dict[str, str]] = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "This e-mail address and this password do not belong together.",
        "too_many_login_attempts": "Too many failed sign-ins. Wait five minutes and try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Signing up is ours (`sign_up`); django-allauth's own form does not exist."""
        return False

    def set_password(self, user: User, password: str) -> None:
        """Sessions with the old password end with it, and so must their open tabs."""
        super().set_password(user, password)
        live.person_changed(user.pk)

    def logout(self, request: HttpRequest) -> None:
        user_id = request.user.pk
        super().logout(request)
        if user_id is not None:
            live.person_changed(user_id)

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The link in the mail leads to `COLLAB_URL`: the request's Host header, whose port anybody may choose,
        must not decide where a key goes. On localhost any port will do."""
        url: str = super().get_reset_password_from_key_url(key)
        return url if settings.IS_LOCAL else settings.PUBLIC_URL + urlsplit(url).path
