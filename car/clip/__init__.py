"""CLIP models of our own, and measurements of CLIP rewards. It reads the truth, for labels only."""
