"""What a person typed and the form cannot take."""


class FieldFault(ValueError):
    """One value that does not fit its field; `parts` names the wrong parts of a date."""

    def __init__(self, message: str, parts: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message, self.parts = message, parts
