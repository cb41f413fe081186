"""Bias in the data: who is spoken of, with what words, and with what outcome.

lexicon   groups of people and the words that name them        mentions  who a text speaks of
imbalance intervals and tests for shares and means             tables    counts over all rows
"""
