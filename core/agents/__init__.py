"""Tools for AI agents: the site's questions over the Model Context Protocol (MCP)."""
