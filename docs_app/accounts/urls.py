"""Set-up, and those of django-allauth's pages that Collab uses: what is not listed does not exist."""

from allauth.account import views as allauth
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from docs_app.accounts import profile, views

urlpatterns = [
    path("setup/", views.setup, name="setup"),
    path("accounts/login/", allauth.login, name="account_login"),
    path("accounts/logout/", allauth.logout, name="account_logout"),
    path("accounts/inactive/", allauth.account_inactive, name="account_inactive"),
    path("accounts/signup/", views.sign_up, name="account_signup"),
    path("accounts/signup/sent/", views.sign_up_sent, name="sign_up_sent"),
    path("accounts/signup/<str:ticket>/", views.sign_up_confirm, name="sign_up_confirm"),
    path("accounts/profile/", profile.profile, name="profile"),
    path("avatars/<int:user_id>/<str:digest>", profile.avatar, name="avatar"),
    path("accounts/reauthenticate/", allauth.reauthenticate, name="account_reauthenticate"),
    # The list of passkeys is a part of the page above it.
    path("accounts/security/webauthn/", RedirectView.as_view(pattern_name="mfa_index")),
    path("accounts/security/", include("allauth.mfa.urls")),
    path("accounts/", include("allauth.socialaccount.providers.openid_connect.urls")),
    path("accounts/oidc-cancelled/", views.provider_cancelled, name="socialaccount_login_cancelled"),
    path("accounts/sessions/", views.sessions, name="sessions"),
    path("accounts/sessions/end", views.end_other_sessions, name="end_other_sessions"),
    path("accounts/sessions/<int:session_id>/end", views.end_session, name="end_session"),
    path("accounts/password/change/", allauth.password_change, name="account_change_password"),
    path("accounts/password/set/", allauth.password_set, name="account_set_password"),
    path("accounts/password/reset/", allauth.password_reset, name="account_reset_password"),
    path("accounts/password/reset/done/", allauth.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^accounts/password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        allauth.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "accounts/password/reset/key/done/",
        allauth.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
]
