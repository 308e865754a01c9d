"""An RTSP server whose frames show a clock, at /cam; with a USER:PASSWORD for that user alone.

Runs under the system's Python, which has GStreamer's bindings: /usr/bin/python3 rtsp.py PORT [USER:PASSWORD].
Prints its port.
"""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
import time

import gi
from clock import HEIGHT, WIDTH, drawn

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

FPS = 30
LAUNCH = (
    "( appsrc name=source is-live=true format=time do-timestamp=true block=true"
    f" max-bytes={2 * WIDTH * HEIGHT}"
    f" caps=video/x-raw,format=GRAY8,width={WIDTH},height={HEIGHT},framerate={FPS}/1"
    " ! videoconvert ! video/x-raw,format=I420"
    f" ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max={FPS} bframes=0 threads=1"
    " ! rtph264pay name=pay0 pt=96 config-interval=1 )"
)


def feed(source: Gst.Element) -> None:
    """Pushes a frame every 1 / FPS seconds until nobody takes it."""
    due = time.monotonic()
    while source.emit("push-buffer", Gst.Buffer.new_wrapped(drawn())) == Gst.FlowReturn.OK:
        due = max(due + 1 / FPS, time.monotonic() - 1)
        time.sleep(max(0.0, due - time.monotonic()))


def configure(_factory: object, media: GstRtspServer.RTSPMedia) -> None:
    """Gives a new media its frames."""
    source = media.get_element().get_child_by_name("source")
    threading.Thread(target=feed, args=(source,), daemon=True).start()


def lock(server: GstRtspServer.RTSPServer, user: str, password: str) -> GstRtspServer.RTSPPermissions:
    """Lets one user in; gives what the media factories have to be told."""
    shown = GstRtspServer.RTSPToken()
    shown.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, user)
    auth = GstRtspServer.RTSPAuth()
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), shown)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    for right in ("access", "construct"):
        permissions.add_permission_for_role(user, f"media.factory.{right}", True)
    return permissions


def main() -> None:
    """Serves until it is killed, or its parent is."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(sys.argv[1])
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(LAUNCH)
    factory.set_shared(True)
    if len(sys.argv) > 2:
        factory.set_permissions(lock(server, *sys.argv[2].split(":")))
    factory.connect("media-configure", configure)
    server.get_mount_points().add_factory("/cam", factory)
    if server.attach(None) == 0:
        sys.exit(f"port {sys.argv[1]} is taken")
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


main()
