"""Whether data is fit for its task: how much, how long, how varied, how odd.

spread   lengths: quantiles and a histogram      distinct  how many different words, in 16 KiB
oddity   text that no person wrote
"""
