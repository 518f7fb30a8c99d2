"""All gates in the order in which they are asked: cheap ones first, the protecting ones early."""

from __future__ import annotations

from collections.abc import Callable

from completion.config import ClientConfig
from lsp.gates import place, protection, switches, typing
from lsp.gates.moment import Moment

Gate = Callable[[Moment, ClientConfig], str]
"""Returns why nothing is offered, in one word, or nothing."""

PROTECTING: tuple[Gate, ...] = (switches.disabled, protection.size)
"""Hold whoever asks, and cost nothing to ask."""

MANNERS: tuple[Gate, ...] = (
    switches.on_demand,
    switches.language,
    switches.files,
    protection.binary,
    typing.after_deletion,
    typing.line,
    typing.word,
    place.scope,
)
"""Hold only for what the editor asks for by itself."""

READING: tuple[Gate, ...] = (protection.rules,)
"""Hold whoever asks, and come last: they may have to read."""

POPUP: tuple[Gate, ...] = (
    switches.disabled,
    protection.size,
    switches.language,
    switches.files,
    protection.binary,
    place.scope,
)
"""For a list of names, which leaves no machine and which editors ask for without saying who did."""


def declined(moment: Moment, config: ClientConfig) -> str:
    """Return why nothing is suggested, in one word, or an empty text when something may be."""
    manners = () if moment.invoked else MANNERS
    gates = (*PROTECTING, *manners, *READING)
    return next((reason for gate in gates if (reason := gate(moment, config))), "")


def popup_declined(moment: Moment, config: ClientConfig) -> str:
    """Return why no names are offered, in one word; ``config`` has the popup's own scopes."""
    return next((reason for gate in POPUP if (reason := gate(moment, config))), "")
