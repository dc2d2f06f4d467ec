"""Turn this process into the system that SIMULATED_SYSTEM names. Python imports this module first, where it is found.

The paths of its folder and of the project are in PYTHONPATH, so worker processes are simulated as well.
"""

import os

if os.environ.get("SIMULATED_SYSTEM") == "macos":
    from tests.simulated import macos

    macos.install()
elif os.environ.get("SIMULATED_SYSTEM") == "windows":
    from tests.simulated import windows

    windows.install()
