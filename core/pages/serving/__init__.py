"""What is served besides pages: health checks, refusals, error pages; and the preparation of a server."""
