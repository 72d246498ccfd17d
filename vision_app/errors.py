"""The one error that a person is meant to read."""


class InputError(ValueError):
    """Bad input: one sentence that says what was expected, what came, and what to do.

    The page shows it as a message, the command line prints it and exits 2, the API answers 422 with it.
    Anything else that is raised is a fault of the program.
    """
