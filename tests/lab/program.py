"""Where the programs under test are."""

import os
import shutil


def find(name, release=None):
    """Full path of virt-ferryd or virt-ferry: in the build folder, else installed; for a host of
    another release what was built in it.

    VIRT_FERRY_BUILDDIR names the build folder, or where it was installed, such as /usr; without it
    the one that lies around the tests.
    """
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    builddir = release.builddir if release else os.environ.get("VIRT_FERRY_BUILDDIR")
    for folder in (builddir,) if builddir else (os.path.join(here, "build"), here):
        for place in ("", "agent", "cli", "sbin", "bin"):
            path = os.path.join(os.path.abspath(folder), place, name)
            if os.path.isfile(path) and os.access(path, os.X_OK):
                return path
    if not builddir:
        installed = shutil.which(name, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin")
        if installed:
            return installed
    raise FileNotFoundError("no %s in %s; VIRT_FERRY_BUILDDIR says where it was built"
                            % (name, builddir or here))
