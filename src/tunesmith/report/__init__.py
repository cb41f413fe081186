"""What a run found out, for people: the report page and the model card."""
