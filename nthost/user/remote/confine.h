// SPDX-License-Identifier: MIT
// Gives up, for good, what a driver's process does not need.
#pragma once

// Opens the images in `folder` (empty: none), then: no other user's rights, no files, no sockets, no
// processes, limits. 0, or negative errno.
int confine(const char *folder);
