"""The App in a real browser, as a person uses it."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page, Response

ARTIFACTS = Path(__file__).resolve().parents[2] / "artifacts" / "e2e"
OUTSIDE = re.compile(r"fonts\.(googleapis|gstatic)\.com|segment\.(io|com)|sentry|posthog")
# Keeps the App's advertising popover and its tracking away.
QUIET = """
window.IS_PLAYWRIGHT = true;
localStorage.setItem("fiftyone-enterprise-tooltip-seen", "true");
"""
STANDS_STILL_MS = 400
TILE_CHECKBOX = {"x": 12, "y": 12}


class App:
    """One browser page with the App in it.

    Args:
        page: the page
        url: where the App's server is
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.page_errors: list[str] = []
        page.on("pageerror", lambda error: self.page_errors.append(str(error)))

    def cy(self, name: str) -> Locator:
        """What the App, or our panel, marks with ``data-cy``."""
        return self.page.locator(f'[data-cy="{name}"]')

    def open_dataset(self, name: str) -> None:
        """Opens a dataset and waits for its grid."""
        self.page.goto(f"{self.url}/datasets/{name}", wait_until="domcontentloaded")
        self.cy("fo-grid").wait_for()
        self.cy("looker").first.wait_for()

    def open_panel(self, name: str) -> None:
        """Opens a panel with the "+" beside the tabs, unless it is open already."""
        tab = self.cy(f"panel-tab-{name.lower()}")
        self.cy("new-panel-btn").first.wait_for()
        if tab.count() == 0:
            self.cy("new-panel-btn").first.click()
            self.cy(f"new-panel-option-{name}").click()
        tab.wait_for()

    def open_cvat_panel(self) -> Locator:
        """Opens the panel of the rounds beside the grid; returns it."""
        return self._open_beside("cvat_status", "relabel-panel")

    def open_improvement_panel(self) -> Locator:
        """Opens the panel of the ledger beside the grid; returns it."""
        return self._open_beside("improvement", "relabel-improvement")

    def _open_beside(self, panel: str, shows: str) -> Locator:
        self.page.evaluate(
            "(name) => window.__foo__.executeOperator('open_panel',"
            " {name, layout: 'horizontal', isActive: true})",
            panel,
        )
        self.cy(shows).wait_for()
        return self.cy(shows)

    def show_grid(self) -> None:
        """Brings the grid to the front."""
        self.cy("panel-tab-samples").click()
        self.cy("looker").first.wait_for()

    def select_samples(self, count: int) -> None:
        """Selects the first samples of the grid, and waits until the toolbar knows."""

        def toolbar_knows(response: Response) -> bool:
            if not response.url.endswith("/operators/resolve-placements"):
                return False
            return len(response.request.post_data_json["selected"]) == count

        with self.page.expect_response(toolbar_knows) as response:
            for index in range(count):
                self.cy("looker").nth(index).click(position=TILE_CHECKBOX)
        response.value.finished()

    def draw_lasso(
        self, area: Locator, corner: tuple[float, float], opposite: tuple[float, float]
    ) -> None:
        """Draws a box around a part of an area, whose corners are given as shares of its size."""
        box = area.bounding_box()
        (left, top), (right, bottom) = corner, opposite
        for number, (x, y) in enumerate(
            [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        ):
            self.page.mouse.move(
                box["x"] + x * box["width"], box["y"] + y * box["height"], steps=5
            )
            if number == 0:
                self.page.mouse.down()
        self.page.mouse.up()

    def press_toolbar(self, uri: str) -> None:
        """Presses an operator's button in the grid's toolbar."""
        self.page.locator(f'[data-item-id="{uri}"]').first.click()

    def browse_operations(self, label: str) -> None:
        """Opens the form of an operator as one does who looks for it by its label."""
        self.page.keyboard.press("Backquote")
        self.page.keyboard.type(label)
        self.page.get_by_text(label, exact=True).first.click()

    def prompt(self) -> Locator:
        """The open form of an operator."""
        modal = self.cy("operators-prompt-modal")
        modal.wait_for()
        return modal

    def run_operator(self, uri: str, params: dict[str, object] | None = None) -> object:
        """Runs an operator without its form; returns its result.

        Raises:
            AssertionError: if it fails
        """
        answer = self.page.evaluate(
            """([uri, params]) => new Promise((resolve) =>
                window.__foo__.executeOperator(uri, params, {
                    callback: ({result, error}) =>
                        resolve({result, error: error && String(error)}),
                }))""",
            [uri, params or {}],
        )
        assert not answer.get("error"), answer["error"]
        return answer.get("result")

    def grid_image(self) -> bytes:
        """What the grid shows, as an image, as soon as it stands still."""
        self.page.mouse.move(0, 0)
        image = b""
        while image != (image := self._grid_image()):
            self.page.wait_for_timeout(STANDS_STILL_MS)
        return image

    def _grid_image(self) -> bytes:
        self.cy("looker").first.wait_for()
        return self.page.screenshot(clip=self.cy("fo-grid").bounding_box())

    def wait_until(self, holds: Callable[[], bool], seconds: float = 30.0) -> None:
        """Waits for something that the browser does not know of, or cannot say.

        Raises:
            AssertionError: if it does not hold in time
        """
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, "waited in vain"
            self.page.wait_for_timeout(100)

    def screenshot(self, name: str) -> Path:
        """Keeps what is to be seen in artifacts/e2e."""
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        path = ARTIFACTS / f"{re.sub(r'[^A-Za-z0-9_-]+', '-', name).strip('-')}.png"
        self.page.screenshot(path=path)
        return path
