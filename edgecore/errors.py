"""The one exception that reaches a user as a single line."""


class UserError(Exception):
    """Something the user can mend: the text says what is wrong and what to do.

    The command line prints it on stderr and exits with status 2.
    """
