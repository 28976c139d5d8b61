"""A stand-in with the constructor that nova's exceptions have; nova itself is not needed here."""


class NovaException(Exception):
    msg_fmt = 'An unknown exception occurred.'
    code = 500

    def __init__(self, message=None, **kwargs):
        self.kwargs = kwargs
        if 'code' not in self.kwargs:
            self.kwargs['code'] = self.code
        super().__init__(message or self.msg_fmt % kwargs)


class InstanceNotFound(NovaException):
    msg_fmt = 'Instance %(instance_id)s could not be found.'
    code = 404
