"""From words to token ids and a proved loss mask, with `tokenizers` and `jinja2` only.

`load` reads a base's tokenizer, `template` renders conversations, `encode` makes ids and
weights, `proof` shows that the mask is right, `preview` shows it to a person.
"""
