"""The text encoder as a module that reads rows of tokens, and which of its layers learn."""

from __future__ import annotations

import json
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from autometa.components.neural.encoders.rows import TokenRows
from autometa.foundation.errors import ParameterError

__all__ = ["TextEncoder", "empty_network", "freeze_below"]


class TextEncoder(nn.Module):
    """A transformer of the BERT family, its last states averaged over the tokens of a row.

    Parameters
    ----------
    network : Module
        As transformers has it.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, rows: TokenRows) -> Tensor:
        """Return what is said of each row.

        Parameters
        ----------
        rows : TokenRows of B rows

        Returns
        -------
        Tensor of float32, shape (B, D)
            Of length sqrt(D), so that each number is about 1.
        """
        tokens, there = rows.padded()  # (B, T) each
        states: Tensor = self.network(input_ids=tokens, attention_mask=there).last_hidden_state  # (B, T, D)
        mask = there[:, :, None].to(states.dtype)
        mean = (states * mask).sum(dim=1).float() / mask.sum(dim=1).float()  # (B, D)
        said: Tensor = functional.normalize(mean, dim=1) * mean.shape[1] ** 0.5
        return said


def empty_network(configuration: str) -> nn.Module:
    """Build the network that a configuration describes, its weights still to be loaded.

    Parameters
    ----------
    configuration : str
        JSON, as `LoadedText.configuration`.

    Returns
    -------
    Module
        In evaluation mode.
    """
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.for_model(**json.loads(configuration))
    network: nn.Module = AutoModel.from_config(config)  # type: ignore[no-untyped-call]
    return network.float().eval()


def freeze_below(network: Any, trained_layers: int | None) -> None:
    """Let only the upper layers of a transformer learn; its embeddings stay as they are.

    They are half of a small encoder's weights, most of them of words that the table does not have.

    Parameters
    ----------
    network : Module
        As transformers has it.
    trained_layers : int or None
        Layers that learn, counted from the top; None: all.

    Raises
    ------
    ParameterError
        If the network does not show its layers.
    """
    network.get_input_embeddings().requires_grad_(False)
    if trained_layers is None:
        return
    n_layers = getattr(network.config, "num_hidden_layers", None)
    stacks = [m for m in network.modules() if isinstance(m, nn.ModuleList) and len(m) == n_layers]
    if not stacks:
        raise ParameterError(
            f"The layers of {type(network).__name__} were not found; use trained_layers=None to train all.",
            parameter="trained_layers",
        )
    network.requires_grad_(False)
    for layer in list(stacks[0])[max(0, len(stacks[0]) - trained_layers) :]:
        layer.requires_grad_(True)
