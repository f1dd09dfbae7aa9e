"""The paper's layers as torch modules, independent of any training framework."""
