"""Differential privacy: what noise costs, and the ledger that pays for it before data are touched."""
