"""Winners of searches on unseen data: see README.md."""
