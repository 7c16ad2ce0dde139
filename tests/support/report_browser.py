"""A real browser for the tests of the report, and what is asked of a page in it."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

REQUIRE = "NEUTONE_LIKE_REQUIRE_BROWSER"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
)
# Waits for everything that loads, so that a late request or error is not missed.
SETTLED = "return document.readyState === 'complete'"

RECORD_PLAYING = """
window.starts = []; window.stops = 0; window.levels = [];
const start = AudioBufferSourceNode.prototype.start, stop = AudioBufferSourceNode.prototype.stop;
AudioBufferSourceNode.prototype.start = function (when, offset) {
  const peak = this.buffer.getChannelData(0).reduce((a, b) => Math.max(a, b), 0);
  window.starts.push({when, offset, peak, seconds: this.buffer.duration,
                      clock: this.context.currentTime, loop: this.loop});
  return start.call(this, when, offset);
};
AudioBufferSourceNode.prototype.stop = function (...all) { window.stops += 1; return stop.apply(this, all); };
const glide = AudioParam.prototype.setTargetAtTime;
AudioParam.prototype.setTargetAtTime = function (target, ...all) {
  window.levels.push(target);
  return glide.call(this, target, ...all);
};
"""

CONTRAST = """
const channel = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const parse = (text) => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
const light = (c) => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
const behind = (element) => {
  for (let e = element; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] > 0.99) return c;
  }
  return [255, 255, 255];
};
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  const text = walker.currentNode.textContent.trim();
  if (!text || ['SCRIPT', 'STYLE'].includes(element.tagName) || !element.checkVisibility({visibilityProperty: true})) {
    continue;
  }
  const style = getComputedStyle(element);
  const colour = parse(element.ownerSVGElement ? style.fill : style.color);
  const pair = [light(colour), light(behind(element))].sort((a, b) => b - a);
  const svg = element.ownerSVGElement;
  const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
  found.push({text, ratio: (pair[0] + 0.05) / (pair[1] + 0.05), size: parseFloat(style.fontSize) * scale});
}
return found;
"""


def unavailable(reason: str) -> None:
    """Skip, or fail where a browser must be there."""
    if os.environ.get(REQUIRE) == "1":
        pytest.fail(f"{REQUIRE}=1, so this may not be skipped: {reason}")
    pytest.skip(reason)


@contextmanager
def open_browser(profile: Path, *more_flags: str) -> Iterator["Browser"]:
    """Start chromium with a profile of its own; skips where it, its driver or selenium is not installed."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        unavailable("no chromium with chromedriver here: apt-get install chromium chromium-driver")
        return
    try:
        from selenium.webdriver import Chrome
        from selenium.webdriver.chrome.options import Options
        from selenium.webdriver.chrome.service import Service
    except ImportError:
        unavailable('no selenium here: pip install "neutone-like[dev]"')
        return
    options = Options()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={profile}", *more_flags):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = Chrome(options=options, service=Service(driver))
    try:
        yield Browser(chrome)
    finally:
        chrome.quit()


class Browser:
    """Opens one page after the other, and hears all that each of them does."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self._seen: list[dict[str, Any]] = []
        self._script: str | None = None

    def open(self, page: Path | str, *, width: int = 1200, dark: bool = False, record: bool = False) -> None:
        """Load a file or an address, and wait until it is complete."""
        self.driver.get("about:blank")
        self.events()
        self.driver.get_log("browser")
        self._seen = []
        if self._script is not None:
            self._tell("Page.removeScriptToEvaluateOnNewDocument", identifier=self._script)
            self._script = None
        if record:
            answer = self._tell("Page.addScriptToEvaluateOnNewDocument", source=RECORD_PLAYING)
            self._script = answer["identifier"]
        metrics = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500}
        self._tell("Emulation.setDeviceMetricsOverride", **metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._tell("Emulation.setEmulatedMedia", features=[scheme])
        self.driver.get(page.as_uri() if isinstance(page, Path) else page)
        self.wait(SETTLED)

    def _tell(self, command: str, **arguments: Any) -> Any:
        return self.driver.execute_cdp_cmd(command, arguments)

    def run(self, script: str) -> Any:
        """Run a function body in the page."""
        return self.driver.execute_script(script)

    def wait(self, script: str, seconds: float = 600.0) -> None:
        """Wait until a function body returns something true."""
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.driver, seconds, poll_frequency=0.05).until(lambda _: self.run(script))

    def click(self, selector: str) -> None:
        """As a person does: scroll there and click, so that the page may play sound."""
        from selenium.webdriver.common.by import By

        element = self.driver.find_element(By.CSS_SELECTOR, selector)
        self.run("document.documentElement.style.scrollBehavior = 'auto'")
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def press(self, key: str) -> None:
        """A key to whatever has the focus."""
        self.driver.switch_to.active_element.send_keys(key)

    def events(self) -> list[dict[str, Any]]:
        """What the network panel lists since the page was opened."""
        self._seen += [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return self._seen

    def requests(self) -> list[str]:
        """Everything that the page asked for, itself and what it carries inside left out."""
        sent = [event["params"] for event in self.events() if event["method"] == "Network.requestWillBeSent"]
        mine = [each for each in sent if not each["documentURL"].startswith("chrome:")]
        addresses = [each["request"]["url"] for each in mine]
        page = self.driver.current_url
        return [each for each in addresses if not each.startswith(("data:", "about:")) and each != page]

    def errors(self) -> list[str]:
        """What the console says of warnings and errors."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
