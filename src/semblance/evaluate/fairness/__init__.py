"""Whether groups of patients fare alike."""
