"""What the generators and the judge reach on open data, beside their peers."""
