"""File formats of signals, each read and written in one module."""
