"""What keeps a page for when there is no network, in Node: its own files, and nothing else below its address."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from neutone_like.plugin import build_web_page
from support.places import EXPORTED, PROJECT
from support.web_page import NODE, needs_node

HOST = PROJECT / "tests" / "support" / "ask_service.mjs"
SCOPE = "https://example.test/models/"

pytestmark = needs_node


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a page with a sound whose name has to be written otherwise in an address."""
    folder = tmp_path_factory.mktemp("service")
    shutil.copytree(EXPORTED / "overdrive", folder / "artifact")
    (folder / "artifact" / "samples").mkdir()
    sound = folder / "artifact" / "samples" / "take #1.wav"
    soundfile.write(sound, np.zeros(100), 48000, subtype="PCM_16")
    return build_web_page(folder / "artifact", folder / "page").with_name("service.js")


def asks(service: Path, *asked: dict[str, Any]) -> tuple[list[Any], list[str]]:
    """Of each request its answer's status, None where the browser does it; and what is kept."""
    given = [{"status": 200, **each, "url": SCOPE + each["url"]} for each in asked]
    command = [str(NODE), str(HOST), str(service), SCOPE]
    done = subprocess.run(command, input=json.dumps(given).encode(), capture_output=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr.decode()
    answer = json.loads(done.stdout)
    return answer["told"], [address.removeprefix(SCOPE) for address in answer["kept"]]


def test_it_keeps_the_page_and_answers_without_a_network(service: Path) -> None:
    own = [{"url": url} for url in ("?from=mail", "index.html", "page.js", "sounds/take%20%231.flac", "service.js")]
    told, kept = asks(service, *own, *({**each, "status": None} for each in own))
    assert told == [200] * 10
    assert kept == ["", "index.html", "page.js", "sounds/take%20%231.flac", "service.js"]


def test_what_else_is_there_is_left_alone(service: Path) -> None:
    others = ("other/index.html", "song.mp3", "other/page.js", "sounds/theirs.flac", "sounds/")
    assert asks(service, *({"url": url} for url in others)) == ([None] * len(others), [])
    assert asks(service, {"url": "page.js", "method": "POST"}) == ([None], [])


def test_parts_of_files_are_not_kept_and_arrive(service: Path) -> None:
    whole, part = {"url": "model.nlc"}, {"url": "model.nlc", "status": 206}
    assert asks(service, part | {"range": "bytes=0-99"}) == ([None], [])
    assert asks(service, part) == ([206], [])
    assert asks(service, whole | {"status": 404}) == ([404], [])


def test_a_full_disk_takes_nothing_from_the_page(service: Path) -> None:
    assert asks(service, {"url": "page.js", "full": True}) == ([200], [])
