"""The forms of all pages: what a query string may contain, and how it is read. The API validates with them too."""
