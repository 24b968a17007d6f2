"""The root of every error that Relabel raises on purpose."""


class RelabelError(Exception):
    """Something that the user can understand and act on.

    Args:
        message: what happened, in a sentence
        advice: what the user can do about it, in a sentence
    """

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message} {self.advice}".strip()


class Unforeseen(RelabelError):
    """An error of others, for whose text nobody vouches: it may hold a secret.

    Args:
        error: what was raised; whoever catches it writes it to the log
    """

    def __init__(self, error: BaseException) -> None:
        super().__init__(
            f"Something unforeseen went wrong ({type(error).__name__}).",
            "The log of the App's server has the details.",
        )
