// SPDX-License-Identifier: MIT
// Drivers that are image files. loader/ maps and binds them; this is the kernel behind them, and what loads
// the libraries they import from.
#pragma once
#include <ntddk.h>

typedef struct _IMG_IMAGE IMG_IMAGE;

// Before the kernel boots: may images be loaded? If so every thread is prepared for their code.
VOID ImgPrepare(BOOLEAN Images);
BOOLEAN ImgStart(VOID);   // once the kernel has booted; FALSE: out of resources
VOID ImgShutdown(VOID);   // once the kernel is shut down: unmaps what could not be unloaded
BOOLEAN ImgStarted(VOID); // may images be loaded

// Loads the image, and the libraries it imports from that lie beside it; theirs is DllInitialize. The PnP
// worker's. A failure is explained by ImgReport().
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS ImgLoad(PCSTR Path, IMG_IMAGE **Image);
// The same without running anything, and unloaded again.
_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS ImgCheck(PCSTR Path);
// The driver has run its Unload routine. Libraries that nobody imports from any more go as well.
_IRQL_requires_(PASSIVE_LEVEL)
VOID ImgUnload(IMG_IMAGE *Image);
PCSTR ImgReport(VOID); // why the last load failed: lines, with every missing import

PVOID ImgEntry(const IMG_IMAGE *Image);
PVOID ImgBase(const IMG_IMAGE *Image);
ULONG ImgSize(const IMG_IMAGE *Image);
