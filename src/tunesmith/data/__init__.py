"""From a file that somebody has to tokens that a model can learn: read, check, split, pack.

    read -> recognise (formats/) -> examples -> split -> tokens (cache) -> store

`stage` holds the two ways in: `check` looks and reports, `prepare` writes a run's `data/`.
Nothing here needs torch or transformers.
"""
