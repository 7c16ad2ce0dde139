"""What files hold, as values: whoever makes or changes one by hand is told in words why that can't be."""

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from neutone_like.errors import ArtifactError
from neutone_like.model.metadata import describe_validation_error


class _SaysWhatIsWrong(type(BaseModel)):
    """Only what is called by its name: inside another record, or read from a file, pydantic collects the problems."""

    def __call__(cls, *arguments: Any, **fields: Any) -> Any:
        try:
            return super().__call__(*arguments, **fields)
        except ValidationError as error:
            raise ArtifactError(f"{cls.__name__} does not fit:\n{describe_validation_error(error)}") from error


class FrozenRecord(BaseModel, metaclass=_SaysWhatIsWrong):
    """Types are exact (no "1" for 1), and values are never changed.

    Raises:
        ArtifactError: A field is missing, unknown or of another kind, or somebody changes one.
    """

    model_config = ConfigDict(strict=True, frozen=True)

    if not TYPE_CHECKING:

        def __setattr__(self, name: str, value: Any) -> None:
            raise ArtifactError(
                f"{type(self).__name__} can't be changed: {name} stays as it was. Make another one: "
                "record.model_copy(update={...})."
            )

        def __delattr__(self, name: str) -> None:
            self.__setattr__(name, None)
