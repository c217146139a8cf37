"""Encoders of a few thousand random weights, in folders as the Hugging Face hub has them."""

from __future__ import annotations

WORDS = (
    "good",
    "fine",
    "great",
    "lovely",
    "bad",
    "poor",
    "awful",
    "dull",
    "the",
    "film",
    "was",
    "and",
    "a",
    "very",
)


def make_tiny_encoder(folder, seed=0):
    """Write configuration, weights and tokenizer of a random BERT with two layers; return the folder."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokenizer = Tokenizer(
        models.WordLevel({word: place for place, word in enumerate([*special, *WORDS])}, unk_token="[UNK]")
    )
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(special) + len(WORDS),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        initializer_range=0.3,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        BertModel(config).save_pretrained(folder)
    return folder


def make_tiny_image_encoder(folder, seed=0):
    """Write configuration and weights of a random vision transformer of one layer; return the folder."""
    import torch
    from transformers import ViTConfig, ViTModel

    size = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        ViTModel(ViTConfig(image_size=16, patch_size=8, **size)).save_pretrained(folder)
    return folder
