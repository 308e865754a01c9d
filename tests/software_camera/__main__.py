"""python -m software_camera run picam:0: edgecore's command line where there is a software camera."""

import sys

from software_camera import prepare, virtual

from edgecore.cli import main

virtual.install(prepare.folder())
sys.exit(main())
