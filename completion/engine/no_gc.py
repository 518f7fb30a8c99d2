"""Importing this switches the cycle collector off; the fork server imports it before vLLM.

Importing makes a million objects that all stay, and the collector walks them again and again: a
fifth of the time that ``import vllm`` takes. Whoever imports this switches it on again.
"""

import gc

gc.disable()
