"""What the records give away about single patients: the risks of WP29 05/2014, uniques, identity, diagnostics."""
