"""A report of an example, which the tests of its text and those in a browser look at."""

from pathlib import Path

import pytest

from neutone_like.artifact.writing.writer import write_artifact
from neutone_like.validate import ValidationReport, validate_artifact
from neutone_like.validate.html import write_report
from support.report_models import build_overdrive


@pytest.fixture(scope="session")
def validated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ValidationReport]:
    """The folder of the overdrive's artifact, with its report, and what validation found."""
    folder = tmp_path_factory.mktemp("overdrive")
    write_artifact(build_overdrive(), folder)
    validation = validate_artifact(folder, quick=True)
    write_report(folder, validation, folder)
    return folder, validation
