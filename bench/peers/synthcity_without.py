"""To be imported before synthcity, whose import loads its parts for images and time series too.

Tables need none of them, and their packages bring gigabytes for GPUs, so empty modules stand in for them.
"""

from __future__ import annotations

from without import leave_out

leave_out("monai", "torchvision", "tsai")
