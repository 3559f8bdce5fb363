"""From a dataset and a few engine configurations to numbers that can be trusted."""
