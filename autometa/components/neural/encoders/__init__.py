"""Pretrained encoders of texts and images: read frozen, or fine-tuned with a linear head."""
