"""The one style sheet, and the hash by which a security policy allows exactly this style."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

STYLE = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
STYLE_HASH = "sha256-" + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

# What a figure needs as a file of its own; every rule names its class, so a page around it stays as it is.
FIGURE_STYLE = STYLE.partition("/* Widgets */")[0].replace(":root,", "")

# What a widget needs: it is a fragment of a page of others, and states the scheme of its colours itself.
WIDGET_STYLE = STYLE.partition("/* Pages */")[0].replace(":root,.figure{color-scheme:light dark;", ".widget{")
WIDGET_STYLE += (Path(__file__).parent / "widget.css").read_text(encoding="utf-8")
