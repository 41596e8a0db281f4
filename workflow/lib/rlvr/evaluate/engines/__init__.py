"""Engines turn prompts into completions; each fulfils ``rlvr.evaluate.engines.protocol.Engine``."""
