"""The whole stage on a tiny model: it learns, and ends the same however it is interrupted."""

from __future__ import annotations


def test_it_learns_and_writes_a_model(workshop, new_run):
    told = []
    record = workshop.train(new_run, workshop.recipe(), told=told)
    assert record.steps == record.total == 15
    assert record.best_loss < record.first_loss - 0.5
    print(record, told)
