# Run this file with `. Activate.ps1` in PowerShell; `deactivate` undoes it.

function global:deactivate([switch] $Keep) {
    if (Test-Path Variable:_OLD_VIRTUAL_PATH) {
        $env:PATH = $global:_OLD_VIRTUAL_PATH
        Remove-Variable _OLD_VIRTUAL_PATH -Scope Global
    }
    if (Test-Path Variable:_OLD_VIRTUAL_PYTHONHOME) {
        $env:PYTHONHOME = $global:_OLD_VIRTUAL_PYTHONHOME
        Remove-Variable _OLD_VIRTUAL_PYTHONHOME -Scope Global
    }
    if (Test-Path Function:_old_virtual_prompt) {
        Copy-Item Function:_old_virtual_prompt Function:prompt
        Remove-Item Function:_old_virtual_prompt
    }
    Remove-Item Env:VIRTUAL_ENV, Env:VIRTUAL_ENV_PROMPT -ErrorAction SilentlyContinue
    if (-not $Keep) {
        Remove-Item Function:deactivate
    }
}

deactivate -Keep

$env:VIRTUAL_ENV = Split-Path -Parent $PSScriptRoot
$env:VIRTUAL_ENV_PROMPT = @PROMPT@

$global:_OLD_VIRTUAL_PATH = $env:PATH
$env:PATH = (Join-Path $env:VIRTUAL_ENV '@BIN@') + [System.IO.Path]::PathSeparator + $env:PATH

if (Test-Path Env:PYTHONHOME) {
    $global:_OLD_VIRTUAL_PYTHONHOME = $env:PYTHONHOME
    Remove-Item Env:PYTHONHOME
}

if (-not $env:VIRTUAL_ENV_DISABLE_PROMPT) {
    Copy-Item Function:prompt Function:global:_old_virtual_prompt
    function global:prompt {
        Write-Host -NoNewline "($env:VIRTUAL_ENV_PROMPT) "
        _old_virtual_prompt
    }
}
