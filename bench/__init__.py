"""Boards: what the generators reach on open data, beside peers, judged by the package's own judges."""
