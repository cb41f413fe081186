"""Ways of computing the log-probabilities of trained tokens; one file is one way.

Each says with `suits(head, hidden_ND)` why it cannot take a head ("" where it can), computes
with `logprobs(head, hidden_ND, targets_N)`, and says with `REPEATABLE` whether it gives the
same bits twice. See `models.output.reading.Way`.
"""
