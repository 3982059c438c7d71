"""Where the program is that was installed with this package."""

import os
import sys
import sysconfig


def find_bnbpip():
    """The path of the program.

    It stands among the scripts of the scheme that the package was installed with: the environment's
    own, the user's, or the ``bin`` folder of ``pip install --target``.

    :raises FileNotFoundError: if it is in none of them
    """
    name = "bnbpip" + (sysconfig.get_config_var("EXE") or "")
    user_scheme = (
        sysconfig.get_preferred_scheme("user")
        if sys.version_info >= (3, 10)
        else {"nt": "nt_user"}.get(os.name, "posix_user")
    )
    package = os.path.dirname(os.path.abspath(__file__))
    folders = [
        sysconfig.get_path("scripts"),
        sysconfig.get_path("scripts", vars={"base": sys.base_prefix}),
        sysconfig.get_path("scripts", scheme=user_scheme),
        os.path.join(os.path.dirname(package), "bin"),
    ]
    for folder in folders:
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            return path
    raise FileNotFoundError("`%s` is in none of %s" % (name, ", ".join(folders)))
