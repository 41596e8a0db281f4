"""Parameter-efficient methods: attaching them, our own PEFT tuners, merging."""
