"""What only tables can measure: columns, pairs and triples of columns, missing values, rare categories and tails.

Each distance comes with the grouped jackknife's interval over blocks of patients, and with the same distance between
real train and real holdout as its control: a plug-in distance between finite samples is never zero, and the control
shows how far from zero real data lands.
"""
