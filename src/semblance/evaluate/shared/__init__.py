"""What judges of several rooms stand on: predictors, and nearest neighbours."""
