"""A private certificate authority for libvirt's and QEMU's TLS."""

import os
import subprocess

_EXTENSIONS = """\
[server]
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature,keyEncipherment
extendedKeyUsage=serverAuth,clientAuth
subjectAltName=%s
"""


def _openssl(*words):
    done = subprocess.run(["openssl", *words], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise RuntimeError("openssl %s:\n%s" % (words[0], done.stdout))


class Authority:
    """Signs certificates for names and addresses; lives in one folder."""

    def __init__(self, directory):
        self.directory = directory
        self.certificate = os.path.join(directory, "ca-cert.pem")
        self._key = os.path.join(directory, "ca-key.pem")

    def create(self):
        os.makedirs(self.directory, exist_ok=True)
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                 "-nodes", "-days", "30", "-subj", "/CN=virt-ferry laboratory",
                 "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                 "-keyout", self._key, "-out", self.certificate)

    def issue(self, name, addresses, stem):
        """Writes STEM-key.pem and STEM-cert.pem, good for server and client, for a host."""
        key, request, certificate = (stem + end for end in ("-key.pem", ".csr", "-cert.pem"))
        extensions = stem + ".ext"
        names = ["DNS:" + name] + ["IP:" + address for address in addresses]
        with open(extensions, "w", encoding="ascii") as out:
            out.write(_EXTENSIONS % ",".join(names))
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                 "-subj", "/CN=" + name, "-keyout", key, "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key,
                 # No file of the last one: hosts are furnished at the same time.
                 "-set_serial", "0x" + os.urandom(8).hex(), "-days", "30", "-extfile", extensions,
                 "-extensions", "server", "-out", certificate)
        os.unlink(request)
        os.unlink(extensions)
        return key, certificate
