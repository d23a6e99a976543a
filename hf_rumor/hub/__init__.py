"""A finished folder -> model card -> Hub; the only room that writes to the network."""
