"""The report in the forms that others read: Croissant, a datasheet, and a map to what regulators ask."""
