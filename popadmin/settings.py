"""Every setting. Those of the operator are read once from the environment (the README lists them)."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from pathlib import Path

import django_stubs_ext
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from mailstore import bodies, keypair
from mailstore.policy import login_name
from mailstore.policy.quota import BadSize, parse_octets
from popadmin.config import database, logs, mail_url, secret_key, service_start
from popadmin.config import environment as env
from popadmin.http_server.limits import Limits
from popadmin.up import site_pointer

django_stubs_ext.monkeypatch()  # so that `FormView[NewAlias]`, which mypy wants, means FormView at run time

BASE_DIR = Path(__file__).resolve().parent.parent
IS_CHECKOUT = (BASE_DIR / "templates").is_dir()
# In a wheel the pages' folders lie inside the package, in a checkout beside it.
PAGES_DIR = BASE_DIR if IS_CHECKOUT else BASE_DIR / "popadmin"
SYSTEM_SETTINGS = Path("/etc/popadmin.env")  # of the installed command; a checkout has a link to it
# For the site's own files: nothing is kept among installed packages.
HOME_DIR = BASE_DIR if IS_CHECKOUT else Path.cwd()

env.load(HOME_DIR / ".env")
if not IS_CHECKOUT:
    env.load(SYSTEM_SETTINGS)

DEBUG = env.boolean("DEBUG", default=False)
ALLOW_GENERATED_FILES = DEBUG or env.boolean("POPADMIN_GENERATE", default=False)  # set by `up` for its processes


def _site_that_runs() -> site_pointer.Site | None:
    """Find the running site for a command in another shell than that of `up`. None if the site is set or unclear."""
    is_told = env.any_set("POPADMIN_DATA_DIR", "DATABASE_URL")
    if is_told or ALLOW_GENERATED_FILES or (HOME_DIR / "var").exists():
        return None
    return site_pointer.the_only_one(BASE_DIR)


SITE_THAT_RUNS = _site_that_runs()
if SITE_THAT_RUNS:
    HOME_DIR = SITE_THAT_RUNS.home
    env.load(HOME_DIR / ".env")
DATA_DIR = env.folder("POPADMIN_DATA_DIR", SITE_THAT_RUNS.data_dir if SITE_THAT_RUNS else HOME_DIR / "var")
SERVICE_STARTED_AT = service_start.started_at()


# --- names, keys ------------------------------------------------------------------------------------------------


def _secret_key() -> str:
    if value := env.secret("SECRET_KEY"):
        return value
    file = DATA_DIR / "secret-key"
    # Commands that need no key (help, check, makemessages) still start; `checks.py` stops the servers.
    return secret_key.read(file) or (secret_key.make(file) if ALLOW_GENERATED_FILES else "")


SECRET_KEY = _secret_key()
PUBLIC_HOSTNAME = env.matching(
    "PUBLIC_HOSTNAME", socket.gethostname(), env.HOST_NAME, "a host name such as mail.example.org"
)
PUBLIC_SMTP_HOSTNAME = env.matching(
    "PUBLIC_SMTP_HOSTNAME", PUBLIC_HOSTNAME, env.HOST_NAME, "a host name such as smtp.example.org"
)
# Links in files and records for mail programs begin with it: they never follow the Host that a request names.
PUBLIC_URL = env.matching(
    "PUBLIC_URL",
    f"https://{PUBLIC_HOSTNAME}",
    re.compile(rf"https?://{env.HOST_NAME.pattern}(:[0-9]{{1,5}})?"),
    "an origin such as https://mail.example.org",
)
PUBLIC_MX_HOSTNAMES = env.words(
    "PUBLIC_MX_HOSTNAMES", "", env.HOST_NAME, "host names such as mx1.example.org,mx2.example.org"
) or [PUBLIC_HOSTNAME]
PROVIDER_NAME = env.matching("PROVIDER_NAME", PUBLIC_HOSTNAME, re.compile(r"[^\x00-\x1f]{1,60}"), "1 to 60 characters")
ALLOWED_HOSTS = env.words(
    "ALLOWED_HOSTS",
    "localhost,127.0.0.1,[::1]",
    re.compile(r"\*|\.?[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]"),
    "host names such as panel.example.org, .example.org or [::1]",
)
CSRF_TRUSTED_ORIGINS = env.words(
    "CSRF_TRUSTED_ORIGINS",
    "",
    re.compile(r"https?://[A-Za-z0-9.*:\[\]_-]+"),
    "origins such as https://panel.example.org",
)

# --- where things listen ----------------------------------------------------------------------------------------

WEB_LISTEN = env.listen("WEB_LISTEN", "127.0.0.1:8000")
POP3_LISTEN = env.listen("POP3_LISTEN", "127.0.0.1:1110")
POP3S_LISTEN = env.listen("POP3S_LISTEN", "127.0.0.1:1995")
POP3_PROXY_LISTEN = env.listen("POP3_PROXY_LISTEN", "", unix=False)  # TRUSTED_PROXIES names networks alone
POP3S_PROXY_LISTEN = env.listen("POP3S_PROXY_LISTEN", "", unix=False)
POP3S_LEGACY_LISTEN = env.listen("POP3S_LEGACY_LISTEN", "", unix=False)
LMTP_LISTEN = env.listen("LMTP_LISTEN", "127.0.0.1:1024")
SASL_LISTEN = env.listen("SASL_LISTEN", "")
POLICY_LISTEN = env.listen("POLICY_LISTEN", "")
PUBLIC_POP3_PORT = env.port("PUBLIC_POP3_PORT", env.first_port(POP3_LISTEN))
PUBLIC_POP3S_PORT = env.port("PUBLIC_POP3S_PORT", env.first_port(POP3S_LISTEN))
PUBLIC_SUBMISSIONS_PORT = env.port("PUBLIC_SUBMISSIONS_PORT", 465)
PUBLIC_SUBMISSION_PORT = env.port("PUBLIC_SUBMISSION_PORT", 587)

PLAINTEXT_LOGIN = env.one_of("PLAINTEXT_LOGIN", "loopback", ("loopback", "never", "always"))


def _login_names() -> login_name.LoginNames:
    """Return how names without @ are completed at a sign-in."""
    domains, separators = env.text("DEFAULT_LOGIN_DOMAIN", ""), env.text("LOGIN_SEPARATORS", "")
    try:
        login_name.read("", separators)
    except ValueError as error:
        raise env.bad("LOGIN_SEPARATORS", separators, "some of % / +, or empty") from error
    try:
        return login_name.read(domains, separators)
    except ValueError as error:
        allowed = (
            "a domain such as example.test, before it NAME=DOMAIN or ADDRESS=DOMAIN for names and addresses of ours"
        )
        raise env.bad("DEFAULT_LOGIN_DOMAIN", domains, allowed) from error


LOGIN_NAMES = _login_names()
POP3_WORKERS = env.integer("POP3_WORKERS", os.cpu_count() or 1, least=1, most=256)
LMTP_WORKERS = env.integer("LMTP_WORKERS", min(os.cpu_count() or 1, 4), least=1, most=256)  # the disk is slower
POP3_IDLE_SECONDS = env.integer("POP3_IDLE_SECONDS", 600, least=600, most=86400)  # RFC 1939 §3: at least ten minutes
POP3_MAX_CONNECTIONS = env.integer("POP3_MAX_CONNECTIONS", 10000, least=1, most=1_000_000)
POP3_MAX_CONNECTIONS_PER_IP = env.integer("POP3_MAX_CONNECTIONS_PER_IP", 50, least=1, most=1_000_000)
REMOVED_DAYS = env.integer(
    "REMOVED_DAYS", 30, least=1, most=3650
)  # a removed mailbox or domain can be restored for so long
BODY_CHECK_DAYS = env.integer("BODY_CHECK_DAYS", 30, least=0, most=3650, empty=0)  # 0: the sweep reads no bodies
CONFIRM_FORWARDS = env.boolean("CONFIRM_FORWARDS", default=True)  # an owner's new target elsewhere agrees first
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
METRICS_NETWORKS = env.networks("METRICS_NETWORKS")
for _variable, _addresses in (("POP3_PROXY_LISTEN", POP3_PROXY_LISTEN), ("POP3S_PROXY_LISTEN", POP3S_PROXY_LISTEN)):
    if _addresses and not TRUSTED_PROXIES:
        raise ImproperlyConfigured(
            f"{_variable} is set and TRUSTED_PROXIES is empty, so nobody may connect there: "
            "name the networks of the proxies, such as 10.0.0.0/8"
        )
TLS_CERT_FILE, *_other_cert_files = env.paths("TLS_CERT_FILE", DATA_DIR / "tls" / "cert.pem")
TLS_KEY_FILE, *_other_key_files = env.paths("TLS_KEY_FILE", DATA_DIR / "tls" / "key.pem")
if len(_other_cert_files) != len(_other_key_files):
    raise ImproperlyConfigured(
        "TLS_CERT_FILE and TLS_KEY_FILE name different numbers of files: each certificate needs its key, in one order"
    )
TLS_OTHER_PAIRS = tuple(map(keypair.Pair, _other_cert_files, _other_key_files))  # RSA beside ECDSA
PROFILE_SIGN_CERT_FILE = Path(env.text("PROFILE_SIGN_CERT_FILE", "") or TLS_CERT_FILE)
PROFILE_SIGN_KEY_FILE = Path(env.text("PROFILE_SIGN_KEY_FILE", "") or TLS_KEY_FILE)
if env.any_set("PROFILE_SIGN_CERT_FILE") != env.any_set("PROFILE_SIGN_KEY_FILE"):
    raise ImproperlyConfigured("PROFILE_SIGN_CERT_FILE and PROFILE_SIGN_KEY_FILE go together: set both, or neither")
TLS_SNI_DIR = Path(env.text("TLS_SNI_DIR", "")) if env.text("TLS_SNI_DIR", "") else None
if TLS_SNI_DIR is not None and not env.may_be_folder(TLS_SNI_DIR):
    raise env.bad("TLS_SNI_DIR", str(TLS_SNI_DIR), "a folder of NAME/fullchain.pem and NAME/privkey.pem")


def _message_limit() -> int:
    value = env.text("MAX_MESSAGE_SIZE", "50MB")
    try:
        octets = parse_octets(value)
    except BadSize:
        octets = 0
    if not octets or octets < 65536:
        raise env.bad("MAX_MESSAGE_SIZE", value, "a size from 64KB up with its unit, such as 50MB")
    return octets


MAX_MESSAGE_OCTETS = _message_limit()


def _mta_log() -> str:
    """Return what `read-mta-log` reads; empty if nothing is set."""
    value = env.text("MTA_LOG", "")
    if value and not value.startswith("/") and value.partition(":")[0] != "journal":
        raise env.bad("MTA_LOG", value, "the whole path of a file, journal, or journal:UNITS")
    return value


MTA_LOG = _mta_log()

# --- DNS records, wanted and looked up ---------------------------------------------------------------------------

DNS_SERVERS = env.addresses("DNS_SERVERS")
DNS_SPF = env.matching(
    "DNS_SPF", "v=spf1 mx ~all", re.compile(r"v=spf1( [\x21-\x7e]+)*"), "a text such as v=spf1 mx -all"
)
DNS_DMARC = env.matching(
    "DNS_DMARC", "v=DMARC1; p=none", re.compile(r"v=DMARC1;[\x20-\x7e]*"), "a text such as v=DMARC1; p=reject"
)
DKIM_SELECTOR = env.matching("DKIM_SELECTOR", "", env.HOST_NAME, "a name such as 2026 or mail")
DKIM_RECORD = env.matching(
    "DKIM_RECORD", "", re.compile(r"[\x20-\x7e]*\bp=[\x20-\x7e]+"), "the text of the record, such as v=DKIM1; p=MIIB…"
)

# --- rows and bodies --------------------------------------------------------------------------------------------

_database_url = env.secret("DATABASE_URL")
DATABASE_IS_PRIVATE = not _database_url  # `up` runs it under the data folder


def _mta_address() -> database.TcpAddress | None:
    """Return where an MTA may look addresses up in the private Postgres; None if it may not."""
    addresses = env.listen("MTA_SQL_LISTEN", "", unix=False)
    if not addresses:
        return None
    host, _colon, port = addresses[0].rpartition(":")
    try:
        is_loopback = ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        is_loopback = False
    if len(addresses) > 1 or not is_loopback or not int(port):
        allowed = "one address of this machine alone, such as 127.0.0.1:5433, or empty"
        raise env.bad("MTA_SQL_LISTEN", ",".join(addresses), allowed)
    if not DATABASE_IS_PRIVATE:
        raise ImproperlyConfigured(
            "MTA_SQL_LISTEN is for the private Postgres, but DATABASE_URL is set: let the MTA connect to that one"
        )
    return database.TcpAddress(host.strip("[]"), int(port))


MTA_SQL_LISTEN = _mta_address()
_database = (
    database.from_url(_database_url) if _database_url else database.private(DATA_DIR, mta_address=MTA_SQL_LISTEN)
)
DATABASE_CONNINFO = database.libpq_form(_database)
DATABASES = {"default": database.django_form(_database)}
MAIL_STORE_URL = env.text("MAIL_STORE_URL", f"file:{DATA_DIR / 'bodies'}")
try:
    bodies.from_url(MAIL_STORE_URL)
except ValueError as error:
    raise env.bad("MAIL_STORE_URL", MAIL_STORE_URL, bodies.ALLOWED) from error

# --- mail of our own --------------------------------------------------------------------------------------------

IS_DEMO = env.boolean("POPADMIN_DEMO", default=False)  # set by `up --demo` for what it starts


def _mail_out() -> mail_url.MailOut:
    """Return how mail is sent. A demo writes it to files, so that nothing leaves the visitor's machine."""
    url = env.secret("EMAIL_URL")
    if not url and IS_DEMO:
        return mail_url.to_files(DATA_DIR / "mail-out")
    try:
        return mail_url.read(url or "smtp://127.0.0.1:25")
    except ValueError as error:
        raise env.bad("EMAIL_URL", "…", mail_url.ALLOWED) from error


_mail = _mail_out()
EMAIL_BACKEND, EMAIL_FILE_PATH = _mail.backend, _mail.folder
EMAIL_HOST, EMAIL_PORT = _mail.host, _mail.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.user, _mail.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.starttls, _mail.tls
EMAIL_TIMEOUT = 10  # seconds for each step of SMTP: a page waits for it
DEFAULT_FROM_EMAIL = env.matching(
    "EMAIL_FROM",
    f"postmaster@{PUBLIC_HOSTNAME}",
    re.compile(r"[^\s<>@]+@[^\s<>@]+|[^<>@\r\n]+ <[^\s<>@]+@[^\s<>@]+>"),
    "an address such as postmaster@example.org, or NAME <ADDRESS>",
)

# --- Django -----------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "mailstore",
    "popadmin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "csp",
]
AUTH_USER_MODEL = "mailstore.User"
ROOT_URLCONF = "popadmin.urls"
WSGI_APPLICATION = "popadmin.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French"))]
LOCALE_PATHS = [PAGES_DIR / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

# --- the web ----------------------------------------------------------------------------------------------------

MIDDLEWARE = [
    "popadmin.web.health.Health",  # first: a health check comes by IP address and must not need a session
    "popadmin.web.middleware.TrustedProxies",
    "popadmin.web.metrics.Metrics",  # after it: who may read depends on the real client; no session, no page headers
    "django.middleware.security.SecurityMiddleware",
    "popadmin.connect.middleware.ProgramFiles",  # before all that compares the Host with ALLOWED_HOSTS
    "django.middleware.gzip.GZipMiddleware",
    "popadmin.web.assets.Serve",
    "csp.middleware.CSPMiddleware",
    "popadmin.web.middleware.PageHeaders",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "popadmin.signin.middleware.RequireSignIn",
    "popadmin.signin.middleware.RequireNewPassword",
    "popadmin.signin.middleware.RecordSessionUse",
    "popadmin.web.middleware.UserLanguage",  # after LocaleMiddleware: the user's choice wins over cookie and browser
    "popadmin.web.middleware.ReaderZone",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PAGES_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "popadmin.web.layout.layout",
            ],
        },
    }
]
FORM_RENDERER = "popadmin.web.form_renderer.FormRenderer"
AUTHENTICATION_BACKENDS = ["popadmin.signin.backends.Addresses"]
PASSWORD_HASHERS = ["mailstore.directory.password_hasher.Argon2", "mailstore.directory.password_hasher.Imported"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "mailstore.directory.new_password.NoHash"},
    {"NAME": "mailstore.directory.new_password.NoBlanksAround"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("address", "name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "popadmin.signin.validators.FitForMailPrograms"},
]
PASSWORD_RESET_TIMEOUT = 3600  # seconds that the link of a reset is valid
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"
SESSION_ENGINE = "popadmin.signin.sessions"
CSRF_FAILURE_VIEW = "popadmin.signin.views.sign_in.csrf_failure"
CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_AGE = THEME_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"  # so that a notice needs no session
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# A body is in memory when a page sees it, bounded by the web port (popadmin/http_server): nothing of it goes to a file.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = Limits().upload_octets

STATIC_URL = "static/"
STATICFILES_DIRS = [PAGES_DIR / "static"]
STATIC_ROOT = PAGES_DIR / "collected"
WHITENOISE_USE_FINDERS = True  # serves static/ itself where `collectstatic` has not run; see popadmin/web/assets.py
STORAGES = {"staticfiles": {"BACKEND": "popadmin.web.assets.Assets"}}

# --- logs -------------------------------------------------------------------------------------------------------

LOG_FORMAT = env.one_of("LOG_FORMAT", "text", ("text", "json"))
LOG_LEVEL = env.one_of("LOG_LEVEL", "info", ("debug", "info", "warning", "error"))
LOGGING = logs.configuration(LOG_FORMAT, LOG_LEVEL)

for _pair in (keypair.Pair(TLS_CERT_FILE, TLS_KEY_FILE), *TLS_OTHER_PAIRS):
    if keypair.missing(_pair.cert_file) != keypair.missing(_pair.key_file):
        missing = _pair.cert_file if keypair.missing(_pair.cert_file) else _pair.key_file
        raise ImproperlyConfigured(f"TLS_CERT_FILE and TLS_KEY_FILE go together, and {missing} is not there")
