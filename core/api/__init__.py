"""The API, `/api/v1/`: the questions of the pages, answered in JSON. One module per group of resources."""
