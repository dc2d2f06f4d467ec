"""Serve the store's questions to AI agents."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from core.management import base_command
from core.management.data_directory import require_data_directory
from core.runtime.errors import BeaconError

DEFAULT_PORT = 8765


class Command(base_command.Command):
    """Define manage.py mcp."""

    help = """\
Serves the store's questions to AI agents over the Model Context Protocol (MCP): find a code, rates in a market, compare
payers, percent of Medicare, who an NPI is. It only reads.

An agent's program starts the command itself and talks to it over standard input and output. With --http, it is served
at http://127.0.0.1:8765/mcp to programs on this machine.

It needs packages that the site does not: .venv/bin/uv sync --inexact --group agents

  manage.py mcp
  manage.py mcp --http --port 9000
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--http", action="store_true", help="serve over HTTP, to programs on this machine alone")
        parser.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"port for --http (default: {DEFAULT_PORT})")

    def run(self, http: bool, port: int, **_options: Any) -> None:
        """Serve until the agent's program ends the conversation, or the command is stopped."""
        try:
            # These packages are not part of the site's installation.
            from core.agents.server import make_server, serve_over_http  # noqa: PLC0415
        except ModuleNotFoundError as error:
            raise BeaconError(
                f"the package {error.name} is not installed; run: .venv/bin/uv sync --inexact --group agents"
            ) from None
        from core.python_api.rate_store import open_store  # noqa: PLC0415 - Polars is not needed for --help

        require_data_directory()
        server = make_server(open_store(settings.BEACONPOINT_DATA_DIR))
        if http:
            self.stderr.write(f"serving at http://127.0.0.1:{port}/mcp; stop with Ctrl-C")
            serve_over_http(server, port)
        else:
            server.run()
