"""The commands of `ser`, one file each."""
