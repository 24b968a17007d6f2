"""Prints the plugins folder to use: the user's own, else one that holds this checkout."""

import os
import sys

from demo.services import REPOSITORY, link_plugin

own = os.environ.get("FIFTYONE_PLUGINS_DIR")
sys.stdout.write(own or str(link_plugin(REPOSITORY / ".demo" / "plugins")))
