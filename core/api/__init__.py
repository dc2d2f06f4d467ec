"""The API, `/api/v1/`: the questions of the pages as JSON. One module a resource."""
