"""What a Python client of virt-ferry may ship to get real classes out of its calls."""


class FerryException(Exception):
    def __init__(self, message=None, **kwargs):
        self.kwargs = kwargs
        super().__init__(message)


class InstanceAlreadyMigrating(FerryException):
    pass
