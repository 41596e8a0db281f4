"""The papers against themselves: every statement that can be checked, re-derived from what the papers print."""
