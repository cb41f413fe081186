"""The audit: what is wrong with the data, found by the plugins in `data/checks`.

contracts  what a check defines and is given       rows   rows as checks see them
log        findings, counted and listed            sweep  the pass over the data
"""
