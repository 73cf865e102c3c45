"""Measurements that the documentation quotes; run by hand, on a machine that does nothing else."""
