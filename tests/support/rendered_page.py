"""A page that is open in a browser, and what it computes there beside what Python does."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from neutone_like import render_file
from support.places import EXPORTED
from support.report_browser import Browser
from support.web_page import KERNELS, Audio

READY = "return document.documentElement.dataset.ready === 'yes'"
TOLERANCE = 1e-5
SECONDS = 0.5

RENDER = """
const [file, settings, player, done] = arguments;
(async () => {
  const { Model, openParts } = await import('./model.js');
  const { decode } = await import('./sounds.js');
  const bytes = async file => (await fetch(file)).arrayBuffer();
  const facts = JSON.parse(document.getElementById('facts').textContent);
  const parts = player ? await openParts(await bytes(player), await bytes('model.nlc')) : null;
  const model = new Model(facts, parts);
  const sound = await decode(await bytes(file), 48000);
  const { rows, latency, quantum } = await model.render(sound, settings);
  const text = rows.map(row => {
    let binary = '';
    new Uint8Array(Float32Array.from(row).buffer).forEach(byte => { binary += String.fromCharCode(byte); });
    return btoa(binary);
  });
  return { text, latency, quantum, kernels: parts && model.player(48000).kernels };
})().then(done, error => done({ problem: String(error) }));
"""


@dataclass(frozen=True)
class Opened:
    """A page in a browser."""

    browser: Browser
    folder: Path
    url: str

    def run(self, script: str, *arguments: Any) -> dict[str, Any]:
        """Run a script that says when it is done."""
        self.browser.driver.set_script_timeout(600)
        answer: dict[str, Any] = self.browser.driver.execute_async_script(script, *arguments)
        assert "problem" not in answer, answer
        return answer

    def text(self, selector: str) -> str:
        return str(self.browser.run(f"return document.querySelector({selector!r}).textContent"))


def sound(rate: int) -> Audio:
    """``[2, samples]``."""
    random = np.random.default_rng(rate)
    return (0.2 * random.standard_normal((2, int(rate * SECONDS)))).astype(np.float32)


def rendered(
    page: Opened, file: str, settings: dict[str, Any], player: str | None = "player_relaxed.wasm.gz"
) -> tuple[Audio, int]:
    """What the page computes of a file with one of its players, and its quantum."""
    answer = page.run(RENDER, file, settings, player)
    assert answer["kernels"] == (player and KERNELS[player.removesuffix(".gz")])
    return np.stack([np.frombuffer(base64.b64decode(row), np.float32) for row in answer["text"]]), answer["quantum"]


def in_python(rate: int, page_folder: Path, folder: Path, model: str = "overdrive") -> Audio:
    out = folder / "out.wav"
    render_file(EXPORTED / model / "model.nm", page_folder / f"{rate}.wav", out, progress=False, backend="torchscript")
    return soundfile.read(out, dtype="float32", always_2d=True)[0].T
