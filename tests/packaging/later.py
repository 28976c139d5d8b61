"""The package that an upgrade brings."""

import subprocess
import tempfile


def repack(deb, folder):
    """The same package with a later version."""
    with tempfile.TemporaryDirectory() as work:
        subprocess.run(["dpkg-deb", "-R", deb, work], check=True)
        subprocess.run(["sed", "-i", "s/^Version: .*/&+later/", work + "/DEBIAN/control"],
                       check=True)
        subprocess.run(["dpkg-deb", "--root-owner-group", "-b", work, folder], check=True,
                       stdout=subprocess.DEVNULL)
