"""The site for a WSGI server: `gunicorn -c beaconpoint/gunicorn.conf.py beaconpoint.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "beaconpoint.settings")
# A server's log is read by machines; commands, which do not import this module, write text.
os.environ.setdefault("BEACONPOINT_LOG_FORMAT", "json")

_site = get_wsgi_application()

from core.pages.serving.health import answer_health_first  # noqa: E402 - Django is not set up before
from core.pages.shared.lanes.admission import FRONT_DESK  # noqa: E402

application = answer_health_first(FRONT_DESK.answer(_site))
