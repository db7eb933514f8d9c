"""Passkeys, authenticator apps and recovery codes, as django-allauth keeps them, in our words."""

import base64
import hashlib
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base import forms as base
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from cryptography.fernet import Fernet
from django import forms
from django.conf import settings

from docs_app.accounts.forms import Labelled
from docs_app.accounts.models import User


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets of apps and recovery codes are encrypted with a key that follows from the installation's secret key: a
    copy of the database alone signs nobody in. With another secret key they are lost."""

    def encrypt(self, text: str) -> str:
        return self._cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return self._cipher().decrypt(encrypted_text.encode()).decode()

    def _cipher(self) -> Fernet:
        key = hashlib.sha256(b"collab: second factor\0" + settings.SECRET_KEY.encode()).digest()
        return Fernet(base64.urlsafe_b64encode(key))

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:  # noqa: A002
        count = Authenticator.objects.filter(user=user, type=type).count()
        return f"Passkey {count + 1}" if count else "Passkey"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": "Collab"}


class _Code(Labelled):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = "Code"
        self.fields["code"].widget.attrs |= {"spellcheck": "false", "autocapitalize": "off"}


class CodeForm(_Code, base.AuthenticateForm):
    pass


class CodeAgainForm(_Code, base.ReauthenticateForm):
    pass


class ActivateForm(_Code, totp.ActivateTOTPForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = "Code that the app shows"
        self.fields["code"].widget.attrs["inputmode"] = "numeric"


class AddPasskeyForm(Labelled, webauthn.AddWebAuthnForm):
    """Every key is one that signs in without a password, and so has checked who holds it."""

    passwordless = forms.BooleanField(initial=True, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = "Name of the key"
        self.fields["name"].help_text = "To tell it from others: the device or the program that keeps it."
