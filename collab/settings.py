"""Everything that can be set comes from the environment and is read here and nowhere else.

On localhost nothing needs to be set. On the internet `COLLAB_URL` is enough: allowed hosts, CSRF and WebSocket
origins, secure cookies and links in mail follow from it. A wrong value stops the start with one line.
"""

import os
import re
import secrets
import sys
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import dj_database_url
import django_stubs_ext
from csp.constants import NONE, SELF
from environs import Env, EnvError

# Lets class definitions name `ModelAdmin[Document]` and the like, which plain Django cannot subscript.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()


def stop(sentence: str) -> NoReturn:
    """End the start with one line on the console and exit code 1."""
    sys.exit(f"collab: {sentence}")


def positive(name: str, default: int) -> int:
    """A whole number above zero from the environment."""
    value = env.int(name, default)
    if value < 1:
        stop(f"{name} must be a whole number above zero, not {value}.")
    return value


def read_public_url() -> str:
    """`COLLAB_URL` without a trailing slash: scheme, host and port, nothing else."""
    url = env.str("COLLAB_URL", "http://localhost:8000").rstrip("/")
    parts = urlsplit(url)
    try:
        is_address = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_address = False
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or not is_address
        or parts.path
        or parts.query
    ):
        stop(f"COLLAB_URL must look like https://docs.example.org, not {url!r}.")
    # As browsers write it in the Origin header: lower case, and no port that the scheme implies.
    default = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in (None, default) else "")


def read_secret_key(folder: Path) -> str:
    """`COLLAB_SECRET_KEY`, else the key kept in the data folder, made on the first start (readable by its owner)."""
    if key := env.str("COLLAB_SECRET_KEY", ""):
        if len(key) < 32:
            stop("COLLAB_SECRET_KEY must have at least 32 characters.")
        return key
    file = folder / "secret-key"
    try:
        # Exclusive creation: two processes that start together must end with the same key.
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text().strip()
    with os.fdopen(descriptor, "w") as handle:
        handle.write(key := secrets.token_urlsafe(48))
    return key


def read_database(folder: Path) -> dict[str, Any]:
    """`DATABASE_URL`, else SQLite in the data folder with commits that survive a power cut."""
    url = env.str("DATABASE_URL", "")
    if not url:
        url = f"sqlite:///{folder / 'collab.sqlite3'}"
    try:
        database: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True))
    except (ValueError, dj_database_url.UnknownSchemeError):
        stop(
            "DATABASE_URL must look like postgres://user:password@host:5432/name or sqlite:////path/to/file."
        )
    if database["ENGINE"].endswith("postgresql"):
        # A connection whose other end is gone without a word must fail in half a minute, not in two hours.
        database["OPTIONS"] = {
            "connect_timeout": 5,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,
            **database.get("OPTIONS", {}),
        }
    if database["ENGINE"].endswith("sqlite3"):
        database["OPTIONS"] = {
            # IMMEDIATE: a transaction that reads first and writes later must not fail with "database is locked".
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
        }
    return database


def read_sign_up() -> tuple[str, tuple[str, ...]]:
    """`COLLAB_SIGN_UP`: "invitation", "open" or "domains", and the domains, in lower case, without an @."""
    words = tuple(
        word.strip().lower().lstrip("@") for word in env.str("COLLAB_SIGN_UP", "invitation").split(",")
    )
    if words in (("invitation",), ("open",)):
        return words[0], ()
    if not all(re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", word) for word in words):
        stop("COLLAB_SIGN_UP must be invitation, open, or domains like example.org,example.com.")
    return "domains", words


def read_oidc() -> list[dict[str, Any]]:
    """`COLLAB_OIDC_1_…` to `COLLAB_OIDC_9_…`: the providers of OpenID Connect, as django-allauth wants them. What is
    ours is in `settings`: `groups_claim`, `groups` (group → [(workspace, kind)]) and `sign_up`."""
    found = []
    for number in range(1, 10):
        own = f"COLLAB_OIDC_{number}_"
        if not (url := env.str(f"{own}URL", "")):
            continue
        name, client = env.str(f"{own}NAME", "your organisation"), env.str(f"{own}CLIENT_ID", "")
        slug = env.str(f"{own}ID", f"oidc-{number}")
        if not client or not re.fullmatch(r"[a-z0-9-]+", slug):
            stop(
                f"{own}URL needs {own}CLIENT_ID, and {own}ID may have small letters, digits and dashes only."
            )
        facts = {
            "server_url": url,
            "oauth_pkce_enabled": True,
            "groups_claim": env.str(f"{own}GROUPS_CLAIM", "groups"),
            "groups": read_groups(f"{own}GROUPS"),
            "sign_up": env.bool(f"{own}SIGN_UP", False),
        }
        secret = env.str(f"{own}CLIENT_SECRET", "")
        found.append(
            {"provider_id": slug, "name": name, "client_id": client, "secret": secret, "settings": facts}
        )
    if len({one["provider_id"] for one in found}) < len(found):
        stop("Two providers of OpenID Connect have the same COLLAB_OIDC_…_ID.")
    return found


def read_groups(name: str) -> dict[str, list[list[str]]]:
    """`editors=Our team:member, heads=Our team:admin`: which kind of membership a provider's group brings."""
    found: dict[str, list[list[str]]] = {}
    for part in filter(None, (part.strip() for part in env.str(name, "").split(","))):
        match = re.fullmatch(r"([^=]+)=(.+):(admin|member|guest)", part)
        if match is None:
            stop(
                f"{name} must look like editors=Our team:member, with admin, member or guest; {part!r} does not."
            )
        found.setdefault(match[1].strip(), []).append([match[2].strip(), match[3]])
    return found


try:
    DATA_DIR = Path(env.str("COLLAB_DATA_DIR", str(BASE_DIR / "data"))).resolve()
    try:
        DATA_DIR.mkdir(parents=True, exist_ok=True, mode=0o750)
    except OSError as error:
        stop(f"COLLAB_DATA_DIR {DATA_DIR} can't be created: {error.strerror}.")

    DEBUG = env.bool("COLLAB_DEBUG", False)
    SECRET_KEY = read_secret_key(DATA_DIR)
    PUBLIC_URL = read_public_url()
    PUBLIC_HOST = urlsplit(PUBLIC_URL).hostname or ""
    IS_LOCAL = PUBLIC_HOST in ("localhost", "127.0.0.1", "::1")
    # How many proxies stand in front. HTTPS ends at one, because Collab itself speaks plain HTTP.
    PROXIES = env.int("COLLAB_PROXIES", 1 if PUBLIC_URL.startswith("https:") else 0)
    if PROXIES < 0:
        stop(f"COLLAB_PROXIES must be 0 or more, not {PROXIES}.")
    REDIS_URL = env.str("REDIS_URL", "")
    EMAIL = env.dj_email_url("EMAIL_URL", "console://")
    # Without it mail is printed on the console, where nobody proves that an address is theirs.
    HAS_MAIL = bool(env.str("EMAIL_URL", ""))

    SIGN_UP, SIGN_UP_DOMAINS = read_sign_up()
    # The name of the workspace that people join who sign up by themselves; empty: the oldest one; "none": none.
    SIGN_UP_WORKSPACE = env.str("COLLAB_SIGN_UP_WORKSPACE", "")
    OIDC = read_oidc()
    if SIGN_UP != "invitation" and not HAS_MAIL:
        stop("COLLAB_SIGN_UP lets people sign up who prove their address by mail: set EMAIL_URL as well.")

    # Limits of one open document and of one connection. Sizes are bytes.
    MAX_FRAME = positive("COLLAB_MAX_FRAME", 1024 * 1024)
    MAX_UPLOAD = positive("COLLAB_MAX_UPLOAD", 32 * 1024 * 1024)
    MAX_DOCUMENT = positive("COLLAB_MAX_DOCUMENT", 64 * 1024 * 1024)
    MAX_FRAMES_PER_SECOND = positive("COLLAB_MAX_FRAMES_PER_SECOND", 2000)
    MAX_BYTES_PER_SECOND = positive("COLLAB_MAX_BYTES_PER_SECOND", 4 * 1024 * 1024)
    MAX_SOCKETS_PER_PERSON = positive("COLLAB_MAX_SOCKETS_PER_PERSON", 50)
    MAX_SOCKETS_PER_DOCUMENT = positive("COLLAB_MAX_SOCKETS_PER_DOCUMENT", 1000)
    # Edits that wait in memory while the database is away; beyond it documents turn read-only.
    MAX_UNSAVED = positive("COLLAB_MAX_UNSAVED", 64 * 1024 * 1024)
    SNAPSHOT_ROWS = positive("COLLAB_SNAPSHOT_ROWS", 500)
    SNAPSHOT_BYTES = positive("COLLAB_SNAPSHOT_BYTES", 256 * 1024)
    HISTORY_DAYS = positive("COLLAB_HISTORY_DAYS", 365)
    TRASH_DAYS = positive("COLLAB_TRASH_DAYS", 30)
    AUDIT_DAYS = positive("COLLAB_AUDIT_DAYS", 365)
    DATABASES = {"default": read_database(DATA_DIR)}
except EnvError as error:
    stop(str(error))

# -- Addresses ---------------------------------------------------------------------------------------------------

LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = LOCAL_HOSTS if IS_LOCAL else [PUBLIC_HOST]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PUBLIC_URL.startswith("https:") else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https:")
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "img-src": [SELF, "blob:", "data:"],
        # The second source is for browsers whose 'self' does not cover WebSockets. On localhost any port may be used.
        "connect-src": [SELF, "ws://localhost:*" if IS_LOCAL else PUBLIC_URL.replace("http", "ws", 1)],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}

# -- Application -------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "daphne",
    "channels",
    "collab",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    # After those whose pages it takes out of the admin.
    "docs_app",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "docs_app.audit.origin.OriginMiddleware",
    "docs_app.accounts.setup.FirstVisitMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "collab.urls"
ASGI_APPLICATION = "collab.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# The admin sends four fields for each member of a workspace on its page.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
# In memory, a channel holds what one process's rooms hear from the product and from each other; it is emptied at
# once, and what a full one drops is found again in the log.
CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": (
        {
            # Not its core layer: docs/decisions/0002-pub-sub-for-the-doorbell.md.
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            # Without a timeout one answer that never comes would silence the layer for good.
            "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": 3, "socket_connect_timeout": 3}]},
        }
        if REDIS_URL
        # A server that runs for months must not forget its own groups; nothing else leaves them without a word.
        else {
            "BACKEND": "channels.layers.InMemoryChannelLayer",
            "CONFIG": {"capacity": 10_000, "group_expiry": 10**10},
        }
    )
}

# Only rate limits live here, counted by each process for itself: in Redis they would add up, but then nobody could
# sign in while it is away.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# -- People ------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "docs_app.User"
# Only this one: it extends Django's, and a second would hash every wrong password a second time.
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("name", "email")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "start"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "docs_app.accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_FORMS = {
    "login": "docs_app.accounts.forms.LoginForm",
    "reset_password": "docs_app.accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "docs_app.accounts.forms.ResetPasswordKeyForm",
    "set_password": "docs_app.accounts.forms.SetPasswordForm",
    "change_password": "docs_app.accounts.forms.ChangePasswordForm",
    "reauthenticate": "docs_app.accounts.forms.ReauthenticateForm",
}
# Beside django-allauth's own limits: wrong set-up codes, attempts to sign up, mails to an address that asked for it,
# invitations that one person makes.
ACCOUNT_RATE_LIMITS = {
    "setup_code": "10/m/ip",
    "sign_up": "20/m/ip",
    "sign_up_mail": "5/h/key",
    "invite": "100/h/user",
}
MFA_ADAPTER = "docs_app.accounts.second_factor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Collab"
# Where no mail is sent nobody could prove their address, and so protect their account.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_FORMS = {
    "authenticate": "docs_app.accounts.second_factor.CodeForm",
    "reauthenticate": "docs_app.accounts.second_factor.CodeAgainForm",
    "activate_totp": "docs_app.accounts.second_factor.ActivateForm",
    "add_webauthn": "docs_app.accounts.second_factor.AddPasskeyForm",
}
SOCIALACCOUNT_ADAPTER = "docs_app.accounts.providers.ProviderAdapter"
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": OIDC}}
# A form may not lead to another site (`form-action`), so links do; what they start ends at the provider's own page.
SOCIALACCOUNT_LOGIN_ON_GET = True
# Whoever proves to a provider that an address is theirs is who has it here. Passwords of accounts whose address nobody
# had proved are taken away then.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
# Rate limits count per client. Behind a proxy that is the last address it put into X-Forwarded-For; without one the
# header is what anybody claims, and must be ignored.
ALLAUTH_TRUSTED_PROXY_COUNT = PROXIES

# -- E-mail, language, files -------------------------------------------------------------------------------------

EMAIL_BACKEND = EMAIL["EMAIL_BACKEND"]
EMAIL_HOST = EMAIL["EMAIL_HOST"]
EMAIL_PORT = EMAIL["EMAIL_PORT"]
EMAIL_HOST_USER = EMAIL["EMAIL_HOST_USER"]
EMAIL_HOST_PASSWORD = EMAIL["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = EMAIL.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = EMAIL.get("EMAIL_USE_SSL", False)
EMAIL_FILE_PATH = EMAIL.get("EMAIL_FILE_PATH") or None
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("COLLAB_MAIL_FROM", f"Collab <collab@{PUBLIC_HOST}>")

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "frontend" / "dist"]
MEDIA_ROOT = DATA_DIR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        # One line per request belongs to the proxy in front.
        "daphne": {"handlers": ["console"], "level": "WARNING", "propagate": False},
    },
}
