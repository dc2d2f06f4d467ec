"""The site for a WSGI server: `gunicorn -c beaconpoint/gunicorn.conf.py beaconpoint.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "beaconpoint.settings")

application = get_wsgi_application()
