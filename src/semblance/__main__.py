"""`python -m semblance`."""

from __future__ import annotations

from semblance.app.cli import main

if __name__ == "__main__":
    main()
