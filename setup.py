"""What pyproject.toml cannot say: beside the packages that are found, conf/ and sweeps/ are installed within `ser`."""

from setuptools import find_packages, setup

DATA = ["ser.conf", "ser.sweeps"]  # their folders and files are named in pyproject.toml

setup(packages=[*find_packages(include=["ser*"]), *DATA])
