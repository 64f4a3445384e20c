"""Membership attacks: they return scores and nothing more; `scores` alone turns them into findings."""
