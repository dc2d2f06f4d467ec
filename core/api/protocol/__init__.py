"""What all resources of the API share: requests, pages and cursors, parameters, problems."""
