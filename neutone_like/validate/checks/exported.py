"""Files for other engines that lie beside the artifact play in ours, at real deadlines, as the artifact does."""

from collections.abc import Iterator

from neutone_like.errors import MissingExtraError, RuntimeEngineError
from neutone_like.runtime.exchange_backend import ExchangeBackend, exported_beside
from neutone_like.runtime.exchange_libraries import EXCHANGE_LIBRARIES, ExchangeLibrary
from neutone_like.validate.deadlines.findings import PlayedSetting, line_of
from neutone_like.validate.deadlines.run import play_fairly
from neutone_like.validate.live_subject import LiveSubject
from neutone_like.validate.outcome import Outcome, skipped, verdict
from neutone_like.validate.playing import HostSetting

USUAL_BLOCK = 512
ALLOWED = "as of real-time deadlines, for every file that can be played here"


def has_exported_files(subject: LiveSubject) -> bool:
    """Whether anything was exported from this artifact for another engine that ours plays with."""
    return bool(_libraries(subject))


def check_exported_files(subject: LiveSubject) -> Outcome:
    """Each file at the rate and in the blocks that it is for: a host of another rate only adds our own resampler."""
    played: list[tuple[ExchangeLibrary, PlayedSetting]] = []
    absent: list[str] = []
    for library in _libraries(subject):
        try:
            library.find()
            library.backend_path.resolve(strict=True)
        except (MissingExtraError, RuntimeEngineError) as error:
            absent.append(f"{library.name}: {error}")
            continue
        played.extend((library, play_fairly(subject, each, library.name)) for each in _settings(subject, library))
    if not played:
        return skipped("; ".join(absent), ALLOWED)
    wrong = [(library, one) for library, one in played if not one.good]
    lines = tuple(f"{library.name}, {line_of(one)}" for library, one in played)
    return verdict(not wrong, _measured(wrong or played), ALLOWED, _advice(wrong), (*lines, *absent))


def _libraries(subject: LiveSubject) -> list[ExchangeLibrary]:
    return [each for each in EXCHANGE_LIBRARIES.values() if exported_beside(subject.artifact, each)]


def _settings(subject: LiveSubject, library: ExchangeLibrary) -> Iterator[HostSetting]:
    for file in ExchangeBackend.beside(subject.artifact, library).sidecars:
        yield HostSetting(file.sample_rate or subject.native_rate, file.block_samples or USUAL_BLOCK)


def _measured(played: list[tuple[ExchangeLibrary, PlayedSetting]]) -> str:
    parts: list[str] = []
    for library, one in played:
        sound = "" if one.comparison is None or one.comparison.holds else ", another sound"
        parts.append(
            f"{library.name} at {one.setting}: p99 of inference {one.run.inference_load:.1%} of its budget"
            f"{sound}{f', {one.trouble}' if one.trouble else ''}"
        )
    return "; ".join(parts)


def _advice(wrong: list[tuple[ExchangeLibrary, PlayedSetting]]) -> str:
    if all(one.speed == "too slow" for _, one in wrong):
        return "This engine is too slow for this model. Leave its format out, or make the model faster."
    return (
        "The file sounds different from the artifact. Export it again with the versions that are installed here; where "
        "that doesn't help, leave its format out and report the model."
    )
