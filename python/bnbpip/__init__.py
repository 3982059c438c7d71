"""The program bnbpip, as a Python package: ``python -m bnbpip`` works on the Python that runs it."""

from ._find import find_bnbpip

__all__ = ["find_bnbpip"]
