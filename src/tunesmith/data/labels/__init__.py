"""Answers as labels: whether a set is one of classes, and which rows seem to carry a wrong one."""
