# SPDX-License-Identifier: MIT
# clang for the MSVC ABI with lld-link: the same sources as Visual Studio's compilers would see them.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER clang-14)
set(CMAKE_C_COMPILER_TARGET x86_64-pc-windows-msvc)
set(CMAKE_RC_COMPILER llvm-rc-14)
set(CMAKE_MT llvm-mt-14)
set(CMAKE_MSVC_RUNTIME_LIBRARY "")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(LECTERN_DLLTOOL llvm-dlltool-14)
set(LECTERN_LLD_LINK lld-link-14)
