"""The domain problems of the comparison at a stated budget: the table of docs/domains.md."""
