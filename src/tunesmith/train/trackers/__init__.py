"""Experiment trackers, one file each: the file name is what `train.report_to` lists."""
