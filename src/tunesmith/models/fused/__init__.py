"""Decoder layers computed a block of tokens at a time, with their gradients written out."""
