"""Base models: tokenizer, tiny architectures, pre-training, shipped copies, the hub, loading."""
