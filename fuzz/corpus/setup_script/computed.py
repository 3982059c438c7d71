import sys
try:
    from setuptools import setup
except ImportError:
    from distutils.core import setup

requires = ["six"]
if sys.version_info < (3, 4):
    requires.append("enum34")
requires += [f"x=={len(requires)}"]
match requires:
    case [first, *rest]:
        pass
setup(install_requires=requires, **{"extras_require": {k: v for k, v in ()}})
