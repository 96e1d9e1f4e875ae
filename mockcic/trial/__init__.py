"""Trials: something odd is sent to a device, then it is asked whether it is still fine."""
