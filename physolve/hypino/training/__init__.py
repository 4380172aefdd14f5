"""Training of the hypernetwork: losses, schedule, the Lightning module, the run and its record."""
