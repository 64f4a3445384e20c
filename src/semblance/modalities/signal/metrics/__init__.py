"""What only signals can be measured by."""
