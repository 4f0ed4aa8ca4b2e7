"""An application that misuses the clients."""

from __future__ import annotations

from lcplatform import LCPlatform


def application(platform: LCPlatform) -> None:
    platform.queue.send_message("orders")  # E: Missing positional argument "body"
    platform.queue.receive_messages("orders", 5)  # E: Too many positional arguments
    platform.queue.update_queue("orders", clear=["colour"])  # E: incompatible type
    platform.object_store.put_object("reports", "a", "text")  # E: Argument 3 to "put_object"
    platform.secrets.get_secret("database").value.upper()  # E: has no attribute "upper"
    print(platform.mainframe)  # noqa: T201  # E: has no attribute "mainframe"
