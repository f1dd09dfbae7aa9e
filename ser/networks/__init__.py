"""The layers of the paper as torch modules; nothing here knows a training framework."""
