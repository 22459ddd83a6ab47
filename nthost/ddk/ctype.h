// SPDX-License-Identifier: MIT
#pragma once
#include <crtdefs.h>
