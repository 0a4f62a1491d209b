"""The WSGI application that gunicorn serves."""

import gc
import os
import sys

from django.core.wsgi import get_wsgi_application

from popadmin import settings
from popadmin.config.environment import KEY_MISSING

if not settings.SECRET_KEY:  # Django itself would only notice at the first page that signs something
    sys.exit(f"popadmin: {KEY_MISSING}")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "popadmin.settings")
application = get_wsgi_application()
# Objects from before the first page stay, so the collector need not visit them: a tenth of what a list costs.
gc.collect()
gc.freeze()
