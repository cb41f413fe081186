"""Loading a model, scoring forests with it, and making it trainable."""

from __future__ import annotations

import logging

# PEFT loads bitsandbytes where it is installed, which then warns of a kernel that it would
# have fetched from the hub; nothing here needs it.
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
