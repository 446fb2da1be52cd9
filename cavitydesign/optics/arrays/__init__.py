"""Envelopes on finite arrays."""
