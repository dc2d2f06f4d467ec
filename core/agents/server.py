"""The server that agents talk to: over standard input and output, or over HTTP on this machine alone."""

import functools
from collections.abc import Callable
from typing import ParamSpec

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations

from core.agents.answers import AgentAnswer
from core.agents.tools import AgentTools
from core.python_api.rate_store import RateStore
from core.runtime.errors import BeaconError

P = ParamSpec("P")

INSTRUCTIONS = """\
Negotiated rates of US health insurers, from the files they publish under the Transparency in Coverage rule. Ask
what_is_loaded first: it names the states and months that have rates. Quote the source file and its date with a figure.
"""

_READS_ONLY = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)


def make_server(store: RateStore) -> MCPServer[None]:
    """Return a server with one tool for each task. It reads the newest generation of the store at each call."""
    server: MCPServer[None] = MCPServer("beaconpoint", title="BeaconPoint Health", instructions=INSTRUCTIONS)
    for tool in AgentTools(store).all():
        server.add_tool(_with_plain_errors(tool), annotations=_READS_ONLY)
    return server


def serve_over_http(server: MCPServer[None], port: int) -> None:
    """Serve at http://127.0.0.1:PORT/mcp until stopped. Other machines cannot reach it."""
    server.run("streamable-http", host="127.0.0.1", port=port, stateless_http=True, json_response=True)


def _with_plain_errors(tool: Callable[P, AgentAnswer]) -> Callable[P, AgentAnswer]:
    @functools.wraps(tool)
    def answer(*arguments: P.args, **named: P.kwargs) -> AgentAnswer:
        try:
            return tool(*arguments, **named)
        except BeaconError as error:
            # What to do about it is said to the agent, which can ask again.
            raise ToolError(str(error)) from None

    return answer
