"""What turns prompts into completions; every engine fulfils ``rlvr.evaluate.engines.protocol.Engine``."""
