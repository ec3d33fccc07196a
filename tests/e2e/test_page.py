# SPDX-License-Identifier: Apache-2.0
"""P1: the operators' page of media-service in a real Chromium, with a real
stream: it loads, updates, plays and acts."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from selenium.webdriver.common.keys import Keys

from helpers import clips, tools
from helpers.browser import Browser
from helpers.processes import Stack, free_port, get, wait_for
from helpers.secured import Secured
from helpers.stream_publisher import publish

pytestmark = [pytest.mark.e2e, pytest.mark.p1]

STREAM = "studio"
DELAY_MS = 4500
# No B-frames, as WebRTC has none; AAC, which WebRTC has not.
CLIP = clips.Clip("page", seconds=60, size="320x180", b_frames=0,
                  sound="music+breath+speech", speech="jfk.wav")
TOKEN = "a-token-of-this-test"  # pragma: allowlist secret


class Site:
    """The services with one stream, and what the API says of it."""

    def __init__(self, stack: Stack):
        self.stack = stack
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        stack.mediamtx(tools.need("mtx-hook"), self.url.rstrip("/"),
                       browsers=True)
        self.sts = stack.sts("echo")
        self.service = self.start_service()
        publish(stack, clips.make(CLIP), stack.rtmp_url(f"live/{STREAM}/in"),
                loop=True)
        stack.wait_path(f"live/{STREAM}/out")

    def start_service(self, port: int = 0, **env: str):
        settings = {
            "MEDIAMTX_API_URL": f"http://127.0.0.1:{self.stack.api_port}",
            "MEDIAMTX_HLS_URL": f"http://127.0.0.1:{self.stack.hls_port}",
            "MEDIAMTX_WEBRTC_URL":
                f"http://127.0.0.1:{self.stack.webrtc_port}",
            "OUTPUT_DELAY_MS": str(DELAY_MS), "WORKER_SOURCE_LANGUAGE": "en",
            "WORKER_TARGET_LANGUAGE": "es", "KEEP_WORKERS": "true",
            "ORCH_GRACE_PERIOD": "2s"}
        return self.stack.media_service(self.sts.url, port or self.port,
                                        **{**settings, **env})

    def stream(self) -> dict:
        status, body = get(f"{self.url}v1/streams/{STREAM}")
        return json.loads(body) if status == 200 else {}


@pytest.fixture(scope="module", name="site")
def _site():
    with Stack("page") as stack:
        yield Site(stack)


@pytest.fixture(scope="module", name="shared")
def _shared(site):
    with Browser() as browser:
        browser.open(site.url)
        yield browser


@pytest.fixture(name="page")
def _page(shared, site):
    """The page as it is when it was just opened, of a stream that runs."""
    if site.stream().get("state") in ("stopped", "idle"):
        urllib.request.urlopen(urllib.request.Request(
            f"{site.url}v1/streams/{STREAM}/start", method="POST"), timeout=5)
    shared.resize(1440, 900)
    shared.open("about:blank")
    shared.complaints()
    shared.open(site.url)
    shared.wait_text("#rows", "running", 40)
    return shared


def row(page: Browser, name: str) -> str:
    return page.text(f'#rows tr[data-id="{STREAM}"] td[data-label="{name}"]')


def fact(page: Browser, name: str) -> str:
    return page.run(
        "return [...document.querySelectorAll('#facts div')].find("
        "(d) => d.firstChild.textContent === arguments[0])"
        "?.lastChild.textContent ?? ''", name)


def test_headers_close_the_page(site):
    request = urllib.request.Request(site.url, headers={
        "Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        headers = answer.headers
        body = answer.read().decode()
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "style=" not in body and "<script>" not in body
    assert get(site.url)[1].startswith("{")


def test_loads_without_complaint_or_other_hosts(page, site):
    page.wait_text("#link-text", "Connected")
    hosts = {urlsplit(url).netloc for url in page.requests()
             if url.startswith("http")}
    assert hosts <= {f"127.0.0.1:{port}" for port in (
        site.port, site.stack.hls_port, site.stack.webrtc_port)}
    assert page.complaints() == []


def test_figures_are_those_of_the_stream_and_change(page, site):
    page.wait(lambda: row(page, "Delay").endswith(" s"), 30, "a delay")
    shown_ms = float(row(page, "Delay").split()[0]) * 1000
    assert abs(shown_ms - DELAY_MS) <= 100
    before = fact(page, "Pictures in / out")
    page.wait(lambda: fact(page, "Pictures in / out") != before, 10,
              "more pictures")
    page.wait(lambda: page.run(
        "return document.querySelector('.chart .series').getAttribute('d')"),
        20, "a line in the first chart")


def test_lines_heard_and_said_are_shown(page):
    page.wait(lambda: page.run(
        "return document.querySelectorAll("
        "'.line[data-phase=said], .line[data-phase=kept]').length"), 40,
        "a line that was said or kept")


def plays(page: Browser, player: str) -> bool:
    """Whether pictures go on."""
    script = ("const v = document.querySelector(arguments[0] + ' video');"
              "return v && v.readyState >= 2 && v.videoWidth > 0"
              " ? v.currentTime : 0")
    start = page.wait(lambda: page.run(script, player), 40,
                      f"a picture in {player}")
    page.wait(lambda: page.run(script, player) > start + 0.5, 20,
              f"pictures that go on in {player}")
    return True


def choose_way(page: Browser, way: str) -> None:
    page.run("const s = document.getElementById('player-way');"
             "s.value = arguments[0];"
             "s.dispatchEvent(new Event('change'))", way)


def test_plays_input_and_dub(page):
    choose_way(page, "auto")
    page.click("#player-out button")
    assert plays(page, "#player-out")
    # AAC has no way through WebRTC, so the dub is heard by HLS.
    assert "HLS" in page.text("#player-out .player-says")
    choose_way(page, "webrtc")
    page.click("#player-in button")
    assert plays(page, "#player-in")
    assert "WebRTC" in page.text("#player-in .player-says")


def test_sound_of_one_player_at_a_time(page):
    choose_way(page, "hls")
    muted = "return document.querySelector(arguments[0] + ' video').muted"
    for player in ("#player-in", "#player-out"):
        page.click(f"{player} button")
        assert plays(page, player)
        page.click(f"{player} button[aria-pressed]")
    choose = [page.run(muted, p) for p in ("#player-in", "#player-out")]
    choose_way(page, "auto")
    assert choose == [True, False]


def test_settings_reach_the_stream(page, site):
    page.click("#do-settings")
    page.type("[name=output_delay_ms]", "100")
    page.click("#settings-save")
    assert "Delay" in page.text("#settings-error")
    page.type("[name=output_delay_ms]", str(DELAY_MS))
    page.type("[name=duck_db]", "-12")
    page.click("#settings-save")
    wait_for(lambda: site.stream()["settings"]["duck_db"] == -12, 10,
             "the setting at the service")
    page.wait(lambda: not page.run(
        "return document.querySelector('dialog[open]')"), 5, "no dialog")
    page.wait(lambda: "12 dB" in fact(page, "Original under the dub"), 10,
              "the setting on the page")


def test_what_the_service_refuses_is_said_in_the_form(page, site):
    page.click("#do-settings")
    page.type("[name=voice_profile]", "not a voice!")
    page.click("#settings-save")
    page.wait(lambda: "voice" in page.text("#settings-error").lower(), 10,
              "the refusal")
    page.press(Keys.ESCAPE)
    assert site.stream()["settings"]["voice_profile"] == "default"


def test_stop_and_start(page, site):
    page.click("#do-stop")
    page.click("#confirm-form [data-close]")
    assert site.stream()["state"] == "running"
    page.click("#do-stop")
    page.click("#confirm-yes")
    wait_for(lambda: site.stream()["state"] == "stopped", 20, "stopped")
    page.wait(lambda: row(page, "State") == "stopped", 10, "stopped, shown")
    page.click("#do-start")
    wait_for(lambda: site.stream()["state"] == "running", 20, "running")
    page.wait(lambda: row(page, "State") == "running", 10, "running, shown")


def test_by_keyboard(page):
    page.run("document.activeElement.blur()")
    page.find("body").send_keys(Keys.TAB)
    page.wait(lambda: "Skip" in page.focused(), 5, "the first stop")
    seen = []
    for _ in range(30):
        page.press(Keys.TAB)
        seen.append(page.focused())
        outline = page.run("return getComputedStyle(document.activeElement)"
                           ".outlineStyle")
        assert outline != "none", seen
        if seen[-1] == "do-settings":
            break
    assert STREAM in seen and seen[-1] == "do-settings"
    page.press(Keys.ENTER)
    assert page.find("#settings-dialog").is_displayed()
    page.press(Keys.ESCAPE)
    page.wait(lambda: page.focused() == "do-settings", 5, "focus given back")


@pytest.mark.parametrize("dialog", ["", "#do-settings", "#add-button",
                                    "#do-stop"])
def test_360_pixels_are_wide_enough(page, dialog):
    page.resize(360, 740)
    if dialog:
        page.run("document.querySelector(arguments[0]).click()", dialog)
    width = page.run("return Math.max(document.documentElement.scrollWidth,"
                     "...[...document.querySelectorAll('dialog[open]')]"
                     ".map((d) => d.scrollWidth))")
    assert width <= 360


@pytest.mark.parametrize("scheme, width", [("dark", 1440), ("light", 1440),
                                           ("dark", 360)])
def test_accessible(page, scheme, width):
    page.set_scheme(scheme)
    page.resize(width, 900)
    assert page.axe() == []
    page.run("document.querySelector('#do-settings').click()")
    assert page.axe() == []
    page.set_scheme("dark")


def test_text_from_outside_stays_text(page):
    """Whatever is heard: markup is shown, and is none."""
    page.run("return import(new URL('page/lines.js', document.baseURI)).then("
             "({Lines}) => new Lines().render([{fragment_id: 'x', language:"
             " 'es', date: new Date(), heard: '<b id=evil>bold</b>', said: ''"
             ", phase: 'heard', version: 1}]))")
    assert "<b id=evil>bold</b>" in page.text("#lines")
    assert page.run("return document.getElementById('evil')") is None


def test_says_that_it_is_disconnected_and_comes_back(page, site):
    site.service.signal(signal.SIGKILL)
    site.service.wait(5)
    page.wait_text("#lost", "Disconnected", 10)
    assert page.find("#lost").is_displayed()
    assert page.text("#link-text") == "Disconnected"
    site.service = site.start_service()
    page.wait_text("#link-text", "Connected", 20)
    assert not page.find("#lost").is_displayed()
    page.wait(lambda: row(page, "State") == "running", 20, "the stream again")


def test_asks_for_the_token(site):
    # It finds no stream: a second worker would fight for the first's output.
    port = free_port()
    service = site.start_service(port, API_TOKEN=TOKEN,
                                 MEDIAMTX_API_URL="http://127.0.0.1:9",
                                 ORCH_HTTP_ADDR="127.0.0.1",
                                 RUNTIME_DIR=site.stack.runtime() + "/t")
    with Browser() as page:
        page.open(service.url)
        page.wait(lambda: page.find("#token-dialog").is_displayed(), 10,
                  "the question")
        page.type("#token-input", "another-token")
        page.press(Keys.ENTER)
        page.wait_text("#token-error", "refused", 10)
        page.type("#token-input", TOKEN)
        page.press(Keys.ENTER)
        page.wait_text("#link-text", "Connected", 10)
        assert page.run("return sessionStorage.length") == 1
        assert page.run("return localStorage.length") == 0
        assert TOKEN not in page.run(
            "return document.documentElement.outerHTML")
        assert not [url for url in page.requests() if TOKEN in url]
    service.stop()


def test_who_watches_is_asked_by_the_page(tmp_path):
    """MediaMTX as in production wants a name and a password: they are asked
    for once, wrong ones again, and go to nobody but the media server."""
    with Stack("page-viewer") as stack:
        secured = Secured(stack, tmp_path / "keys")
        secured.start_mediamtx()
        secured.sts = stack.sts("echo", STS_API_KEY=secured.keys["sts"])
        service = secured.start_service(
            MEDIAMTX_HLS_URL=f"http://127.0.0.1:{stack.hls_port}",
            MEDIAMTX_WEBRTC_URL=f"http://127.0.0.1:{stack.webrtc_port}",
            OUTPUT_DELAY_MS=str(DELAY_MS))
        publish(stack, clips.make(CLIP),
                secured.url(f"live/{STREAM}/in", "encoder"), loop=True)
        password = secured.keys["operator"]
        with Browser() as page:
            page.open(service.url)
            page.type("#token-input", secured.keys["api"])
            page.press(Keys.ENTER)
            page.wait_text("#rows", "running", 40)
            choose_way(page, "webrtc")
            page.click("#player-out button")
            page.wait(lambda: page.find("#viewer-dialog").is_displayed(), 20,
                      "the question")
            assert page.axe() == []
            page.type("#viewer-name", "operator")
            page.type("#viewer-password", "not-this")
            page.press(Keys.ENTER)
            page.wait_text("#viewer-error", "refused", 20)
            page.type("#viewer-name", "operator")
            page.type("#viewer-password", password)
            page.press(Keys.ENTER)
            assert plays(page, "#player-out")
            assert page.run("return localStorage.getItem('dubbing-viewer')"
                            " === null && sessionStorage.length === 2")
            page.open(service.url)
            page.wait_text("#rows", "running", 40)
            for player in ("#player-out", "#player-in"):
                page.click(f"{player} button")
                assert plays(page, player), player
            # What was said for one way is good for the other.
            choose_way(page, "hls")
            for player in ("#player-out", "#player-in"):
                assert plays(page, player), player
                assert "HLS" in page.text(f"{player} .player-says")
            assert not page.find("#viewer-dialog").is_displayed()
            assert not [url for url in page.requests() if password in url]
        with Browser() as page:
            hls_asks_who_watches(page, service, secured)
        with Browser(answers=("operator", password)) as page:
            frame_asks_who_watches(page, service, secured)
            assert not [url for url in page.requests() if password in url]
        assert password not in service.output()


def hls_asks_who_watches(page: Browser, service, secured) -> None:
    """A media server that browsers reach by HLS alone: nothing else would ask.
    """
    page.open(service.url)
    page.type("#token-input", secured.keys["api"])
    page.press(Keys.ENTER)
    page.wait_text("#rows", "running", 40)
    choose_way(page, "hls")
    page.click("#player-out button")
    for password, came in (("not-this", False),
                           (secured.keys["operator"], True)):
        page.wait(lambda: page.find("#viewer-dialog").is_displayed(), 20,
                  "the question")
        page.type("#viewer-name", "operator")
        page.type("#viewer-password", password)
        page.press(Keys.ENTER)
        if not came:
            page.wait_text("#viewer-error", "refused", 20)
    assert plays(page, "#player-out")
    assert not page.run(
        "return document.querySelector('#player-out iframe')")


def frame_asks_who_watches(page: Browser, service, secured) -> None:
    """Where only the media server's page can play, what our own question
    brings is of no use, so it is not put: the browser asks for that page."""
    page.open(service.url)
    page.type("#token-input", secured.keys["api"])
    page.press(Keys.ENTER)
    page.wait_text("#rows", "running", 40)
    page.run("delete window.MediaSource; delete window.ManagedMediaSource")
    choose_way(page, "hls")
    page.click("#player-out button")
    assert frame_plays(page)
    assert "asks who watches" in page.text("#player-out .player-says")
    assert not page.find("#viewer-dialog").is_displayed()


def frame_plays(page: Browser) -> bool:
    """The media server's page, in a frame of ours. It is entered each time
    anew: who looks while it loads keeps looking at the empty one before."""
    def plays_now() -> bool:
        page.driver.switch_to.default_content()
        frame = page.run(
            "return document.querySelector('#player-out iframe')")
        if not frame:
            return False
        page.driver.switch_to.frame(frame)
        return page.run(
            "const v = document.querySelector('video');"
            "return v && v.currentTime > 0.5 && v.videoWidth > 0")
    try:
        return page.wait(plays_now, 60, "a picture in the frame")
    finally:
        page.driver.switch_to.default_content()


def test_whoever_says_nothing_is_not_asked_again(page):
    page.run("window.fetch = ((real) => (url, o) => String(url).includes("
             "'/whep') ? Promise.resolve(new Response('', {status: 401}))"
             " : real(url, o))(window.fetch)")
    choose_way(page, "auto")
    page.click("#player-out button")
    page.wait(lambda: page.find("#viewer-dialog").is_displayed(), 10,
              "the question")
    page.press(Keys.ESCAPE)
    page.wait_text("#player-out .player-says", "a name and a password", 5)
    assert page.text("#player-out .player-bar button") == "Play"


def test_hls_by_the_library_where_the_browser_has_none(page):
    page.run("HTMLMediaElement.prototype.canPlayType = () => ''")
    choose_way(page, "hls")
    page.click("#player-out button")
    assert plays(page, "#player-out")
    assert page.run("return document.querySelector('#player-out video')"
                    ".src.startsWith('blob:')")
    page.click("#player-out button:nth-of-type(2)")
    assert page.run("return !document.querySelector('#player-out video')"
                    ".muted")
    assert page.complaints() == []
    choose_way(page, "auto")


def test_without_hls_of_its_own_the_server_shows_it(page, site):
    """A browser that can do nothing with HLS gets the media server's page."""
    page.run("HTMLMediaElement.prototype.canPlayType = () => '';"
             "delete window.MediaSource; delete window.ManagedMediaSource")
    choose_way(page, "hls")
    page.click("#player-out button")
    assert frame_plays(page)
    assert "media server's page" in page.text("#player-out .player-says")
    choose_way(page, "auto")


def destinations_of(site) -> list[dict]:
    return site.stream()["settings"]["destinations"]


def save_settings(page: Browser) -> None:
    page.click("#settings-save")
    page.wait(lambda: not page.run(
        "return document.querySelector('dialog[open]')"), 10, "no dialog")


def test_destinations_are_added_kept_and_removed(page, site):
    key = "k3y-of-nobody"  # pragma: allowlist secret
    page.click("#do-settings")
    page.click("#add-destination")
    page.type("[name=d_name]", "backup")
    page.type("[name=d_url]", f"rtmp://127.0.0.1:1/live/{key}")
    save_settings(page)
    wait_for(lambda: destinations_of(site), 10, "the destination")
    page.wait_text("#outs", "backup", 10)
    assert key not in page.run("return document.documentElement.outerHTML")
    page.click("#do-settings")
    assert key not in page.find("[name=d_url]").get_attribute("value")
    page.type("[name=d_language]", "xx-wrong!")
    page.click("#settings-save")
    page.wait_text("#settings-error", "destination", 10)
    page.type("[name=d_language]", "es")
    save_settings(page)
    wait_for(lambda: destinations_of(site)[0].get("language") == "es", 10,
             "its language")
    page.click("#do-settings")
    page.click("#destinations button")
    save_settings(page)
    wait_for(lambda: destinations_of(site) == [], 10, "no destination")
    page.wait(lambda: "backup" not in page.text("#outs"), 10, "it gone")


def test_several_languages_are_chosen_from(page, site):
    page.click("#do-settings")
    page.type("[name=target_languages]", "es, de")
    save_settings(page)
    page.wait(lambda: page.run(
        "return [...document.querySelectorAll('#out-language option')]"
        ".map((o) => o.value).join()") == "es,de", 20, "both to choose from")
    site.stack.wait_path(f"live/{STREAM}/out/de")
    page.run("const s = document.getElementById('out-language');"
             "s.value = 'de'; s.dispatchEvent(new Event('change'))")
    choose_way(page, "webrtc")
    page.click("#player-out button")
    assert plays(page, "#player-out")
    assert any(f"live/{STREAM}/out/de/whep" in url for url in page.requests())
    page.click("#do-settings")
    page.type("[name=target_languages]", "es")
    save_settings(page)
    wait_for(lambda: site.stream()["settings"]["target_languages"] == ["es"],
             20, "one language")


def test_a_stream_is_added_and_removed(page, site):
    page.click("#add-button")
    page.type("[name=stream_id]", "not good")
    page.click("#settings-save")
    assert "Name of the stream" in page.text("#settings-error")
    page.type("[name=stream_id]", "second")
    save_settings(page)
    page.wait(lambda: page.run(
        "return document.querySelector('#rows tr[data-id=second]')"), 10,
        "its row")
    assert get(f"{site.url}v1/streams/second")[0] == 200
    page.wait_text("#detail-title", "second", 10)
    page.click("#do-stop")
    page.click("#confirm-yes")
    page.wait(lambda: page.find("#do-remove").is_enabled(), 20, "stopped")
    page.click("#do-remove")
    page.click("#confirm-yes")
    page.wait(lambda: not page.run(
        "return document.querySelector('#rows tr[data-id=second]')"), 10,
        "its row gone")
    assert get(f"{site.url}v1/streams/second")[0] == 404


@pytest.mark.skipif("PAGE_IMAGES" not in os.environ,
                    reason="PAGE_IMAGES=folder makes the images of docs/")
def test_images(page, site):
    folder = Path(os.environ["PAGE_IMAGES"])
    for name, to in (("arena", "de"), ("sunday-service", "pt-BR")):
        publish(site.stack, clips.make(CLIP),
                site.stack.rtmp_url(f"live/{name}/in?to={to}"), loop=True,
                name=f"publisher-{name}")
        page.wait_text(f'#rows tr[data-id="{name}"]', "running", 40)
    page.click(f'#rows tr[data-id="{STREAM}"] button')
    choose_way(page, "auto")
    for player in ("#player-in", "#player-out"):
        page.click(f"{player} button")
        assert plays(page, player)
    page.wait(lambda: page.run(
        "return document.querySelectorAll('.line[data-phase=said]').length"
        " > 5"), 60, "lines")
    time.sleep(60)  # of charts
    for name, size, scheme in (("page-dark", (1600, 1000), "dark"),
                               ("page-light", (1600, 1000), "light"),
                               ("page-phone", (360, 740), "dark")):
        page.resize(*size)
        page.set_scheme(scheme)
        page.run("scrollTo(0, 0)")
        page.screenshot(folder / f"{name}.png")
