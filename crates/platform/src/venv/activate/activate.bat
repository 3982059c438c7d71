@echo off
rem Run this file in cmd.exe; deactivate.bat undoes it.

if defined _OLD_VIRTUAL_PATH call "%~dp0deactivate.bat"

set "VIRTUAL_ENV=@ROOT@"
set "VIRTUAL_ENV_PROMPT=@PROMPT@"

set "_OLD_VIRTUAL_PATH=%PATH%"
set "PATH=%VIRTUAL_ENV%\@BIN@;%PATH%"

if defined PYTHONHOME set "_OLD_VIRTUAL_PYTHONHOME=%PYTHONHOME%"
set PYTHONHOME=

if defined VIRTUAL_ENV_DISABLE_PROMPT goto :eof
if not defined PROMPT set "PROMPT=$P$G"
set "_OLD_VIRTUAL_PROMPT=%PROMPT%"
set "PROMPT=(%VIRTUAL_ENV_PROMPT%) %PROMPT%"
