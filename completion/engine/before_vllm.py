"""To be imported before vLLM, by the service and by the fork server: no collector, no remarks.

Importing vLLM makes a million objects that all stay, and the cycle collector walks them again and
again: a fifth of the import's time. Whoever imports this switches it on again. vLLM also warns of
things that are as they should be before it has set its logging up; Python prints what has no
handler.
"""

import gc
import logging

gc.disable()
logging.getLogger("vllm").addHandler(logging.NullHandler())
