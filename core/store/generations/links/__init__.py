"""The stable paths: links that lead to the newest files, or files placed there where links are refused."""
