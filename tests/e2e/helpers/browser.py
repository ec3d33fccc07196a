# SPDX-License-Identifier: Apache-2.0
"""A real Chromium without a window, as an operator's browser.

    with Browser() as browser:
        browser.open("http://127.0.0.1:8080/")
        browser.wait("#streams tbody tr")

What it asked for and what it complained of is kept: `browser.requests ()`,
`browser.complaints ()`.
"""

from __future__ import annotations

import json
import shutil
import time

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from . import tools

AXE = tools.ROOT / "tests/e2e/node_modules/axe-core/axe.min.js"
ARGUMENTS = (
    "--headless=new",
    # Root, as in a container, has no sandbox to start.
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-proxy-server",
    # Local addresses as they are: no mDNS names in the candidates.
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--force-device-scale-factor=1",
)


class Browser:
    def __init__(self, width: int = 1440, height: int = 900,
                 scheme: str = "dark", answers: tuple[str, str] | None = None):
        """answers: the name and password that the operator types where the
        browser itself asks for them."""
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or "chromium"
        for argument in (*ARGUMENTS, f"--window-size={width},{height}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs",
                               {"browser": "ALL", "performance": "ALL"})
        if answers:
            # Else the driver waits for the page that waits for the answer.
            options.page_load_strategy = "none"
            options.set_capability("webSocketUrl", True)
        self.driver = webdriver.Chrome(
            options=options, service=webdriver.ChromeService(
                shutil.which("chromedriver") or "chromedriver"))
        self.asked: list[str] = []
        self.resize(width, height)
        self.set_scheme(scheme)
        if answers:
            self.driver.network.add_auth_handler(*answers)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        self.driver.quit()

    # --- how it looks at the page ---

    def open(self, url: str) -> None:
        self.driver.get(url)
        self.wait(lambda: self.run("return document.readyState")
                  == "complete", what=f"{url} is there")

    def resize(self, width: int, height: int) -> None:
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1,
            "mobile": width < 700})

    def set_scheme(self, scheme: str) -> None:
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def run(self, script: str, *args):
        return self.driver.execute_script(script, *args)

    # --- what is there ---

    def find(self, selector: str):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        """As it is in the document, shown or not."""
        return self.run("return document.querySelector(arguments[0])"
                        "?.textContent ?? ''", selector).strip()

    def wait(self, check, timeout_s: float = 20.0, what: str = ""):
        """The first true value of check ()."""
        deadline = time.monotonic() + timeout_s
        while True:
            value = check()
            if value:
                return value
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what or check}: not within "
                                   f"{timeout_s:.0f} s; the page says:\n"
                                   + self.find("body").text[:2000])
            time.sleep(0.1)

    def wait_text(self, selector: str, part: str,
                  timeout_s: float = 20.0) -> None:
        self.wait(lambda: part in self.text(selector), timeout_s,
                  f"{part!r} in {selector}")

    # --- what an operator does ---

    def click(self, selector: str) -> None:
        self.find(selector).click()

    def type(self, selector: str, text: str) -> None:
        field = self.find(selector)
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(text)

    def press(self, *keys: str) -> None:
        self.driver.switch_to.active_element.send_keys(*keys)

    def focused(self) -> str:
        return self.run("const e = document.activeElement;"
                        "return e.id || e.name || e.textContent")

    # --- what it did ---

    def requests(self) -> list[str]:
        """All addresses that were asked for since the start."""
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.asked.append(message["params"]["request"]["url"])
        return self.asked

    def complaints(self) -> list[str]:
        """Errors and warnings on the console since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] in ("SEVERE", "WARNING")]

    def axe(self) -> list[str]:
        """Serious violations that axe-core finds, one line each."""
        self.run(AXE.read_text(encoding="utf-8"))
        found = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "axe.run(document, {resultTypes: ['violations']})"
            ".then((r) => done(r.violations), (e) => done([{"
            "id: String(e), impact: 'critical', nodes: []}]));")
        return [f"{v['id']} ({v['impact']}): "
                + "; ".join(n["html"][:120] for n in v["nodes"])
                for v in found if v["impact"] in ("serious", "critical")]

    def screenshot(self, path) -> None:
        self.driver.save_screenshot(str(path))
