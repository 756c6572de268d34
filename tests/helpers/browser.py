"""A real browser, without a window: Debian's Chromium."""

import shutil
from contextlib import contextmanager

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@contextmanager
def watched(browser, **context):
    """A page that may load nothing but files, and whose console stays empty; checked at the end."""
    opened = browser.new_context(**context)
    page = opened.new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    try:
        yield page
        assert said == []
        assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    finally:
        opened.close()
