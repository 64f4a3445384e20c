"""One file per format: what a file holds as Found recordings, and recordings as such a file."""
