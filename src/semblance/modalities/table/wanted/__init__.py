"""Records as they are wanted: with conditions, quotas, shifted or fair columns, or completed from what is known.

`asked` and `conditions` read what was asked in terms of the data, `joint` finds how the model shares the asked-for
codes, `weighing` and `shifts` bend these shares to margins, `aims` makes of them what is drawn, `impute` fills the gaps
of partial records. A model needs two functions over codes: the shares of a column given others, and a completion.
"""
