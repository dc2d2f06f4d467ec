"""The one Django app."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Rates: the store, its questions, its pages and its commands."""

    name = "core"
