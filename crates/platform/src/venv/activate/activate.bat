@echo off
rem Run this file in cmd.exe; deactivate.bat undoes it.

if defined _OLD_VIRTUAL_PATH call "%~dp0deactivate.bat"

rem From where this file lies: its text would be read in the console's code page.
for %%i in ("%~dp0..") do set "VIRTUAL_ENV=%%~fi"
@UTF-8@for /f "tokens=2 delims=:." %%a in ('"%SystemRoot%\System32\chcp.com"') do set "_OLD_CODEPAGE=%%a"
@UTF-8@"%SystemRoot%\System32\chcp.com" 65001 >nul
set "VIRTUAL_ENV_PROMPT=@PROMPT@"
@UTF-8@"%SystemRoot%\System32\chcp.com" %_OLD_CODEPAGE% >nul
@UTF-8@set _OLD_CODEPAGE=

set "_OLD_VIRTUAL_PATH=%PATH%"
set "PATH=%VIRTUAL_ENV%\@BIN@;%PATH%"

if defined PYTHONHOME set "_OLD_VIRTUAL_PYTHONHOME=%PYTHONHOME%"
set PYTHONHOME=

if defined VIRTUAL_ENV_DISABLE_PROMPT goto :eof
if not defined PROMPT set "PROMPT=$P$G"
set "_OLD_VIRTUAL_PROMPT=%PROMPT%"
set "PROMPT=(%VIRTUAL_ENV_PROMPT%) %PROMPT%"
