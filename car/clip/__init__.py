"""CLIP models of our own, and measurements of CLIP rewards on labelled episodes. It reads the truth, for labels only."""
