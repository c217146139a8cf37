"""What strategies around pretrained encoders share, whatever these read: what is offered, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar

from autometa.domain import Configuration, Strategy

if TYPE_CHECKING:
    from autometa.components.neural.encoders.tables import Modality
    from autometa.domain import Task
    from autometa.domain.backbones import EncoderBackbone

__all__ = ["EncoderStrategy"]


class EncoderStrategy(Strategy):
    """Offer every backbone of a modality that can be loaded, frozen and fine-tuned.

    Parameters
    ----------
    backbone : str, optional
        The only one to offer: a folder or a model of the Hugging Face hub, for instance.

    Attributes
    ----------
    modality : {"text", "image"}
        What is read.
    packaged : EncoderBackbone
        The one that autometa brings.
    ways : tuple of mapping
        What each backbone is offered as, as configurations without their backbone. The first is frozen.
    packages : tuple of str
        Python packages that backbones of every origin need.
    """

    modality: ClassVar[Modality]
    packaged: ClassVar[EncoderBackbone]
    ways: ClassVar[tuple[Mapping[str, Any], ...]]
    packages: ClassVar[tuple[str, ...]] = ()

    def __init__(self, backbone: str | None = None) -> None:
        self.backbone = backbone

    def supports(self, task: Task) -> str | None:
        """Refuse tables without a column to read, and every table where no backbone can be loaded.

        Parameters
        ----------
        task : Task

        Returns
        -------
        str or None
        """
        if not task.columns(self.modality):
            return f"the table has no {'text column' if self.modality == 'text' else 'column of images'}"
        absent = [package for package in self.packages if find_spec(package) is None]
        if absent:
            return f"{self.modality} encoders need {', '.join(absent)}: {self.packaged.install}"
        if self.backbones():
            return None
        return f"no {self.modality} encoder can be loaded: {self.packaged.obstacle() or 'no plugin brings one'}"

    def backbones(self) -> tuple[str, ...]:
        """Return the names of the backbones on offer."""
        from autometa.plugins import get_registry

        if self.backbone is not None:
            return (self.backbone,)
        registered = get_registry().backbones.items()
        return tuple(
            name for name, found in registered if found.modality == self.modality and not found.obstacle()
        )

    def default_backbone(self) -> str:
        """Return the first backbone on offer; the packaged one where none can be loaded."""
        return (*self.backbones(), self.packaged.name)[0]

    def portfolio(self, task: Task) -> Sequence[Configuration]:
        """Return each backbone in each of the `ways`, which depends on nothing but what is installed.

        Parameters
        ----------
        task : Task

        Returns
        -------
        sequence of Configuration
        """
        return tuple(Configuration({"backbone": name, **way}) for name in self.backbones() for way in self.ways)

    def warm_up(self, configuration: Configuration, task: Task) -> Configuration:
        """Return the frozen encoder of the same backbone: fine-tuning takes seconds even on few rows.

        Parameters
        ----------
        configuration : Configuration
        task : Task

        Returns
        -------
        Configuration
        """
        kept = {name: configuration[name] for name in ("backbone", "max_tokens") if name in configuration}
        return Configuration({**kept, **self.ways[0]})
