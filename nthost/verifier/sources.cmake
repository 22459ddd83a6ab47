# SPDX-License-Identifier: MIT
list(APPEND wdm_sources
  verifier/checks.c verifier/drivers.c verifier/fault.c verifier/faultplan.c verifier/faultsites.c
  verifier/faulttransfer.c verifier/lockorder.c verifier/report.c verifier/verifier.c)
