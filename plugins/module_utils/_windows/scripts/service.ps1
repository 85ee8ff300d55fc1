$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$lines = @($input)
try {
    $request = ConvertFrom-Json -InputObject $lines[0]
    foreach ($one in @($request.modes)) { Set-Service -Name ([string]$one.name) -StartupType ([string]$one.mode) }
    foreach ($name in @($request.stop)) { Stop-Service -Name ([string]$name) -Force }
    foreach ($name in @($request.start)) { Start-Service -Name ([string]$name) }
    ConvertTo-Json -InputObject @{ ok = $true } -Compress
} catch {
    ConvertTo-Json -InputObject @{ error = @{ id = $_.FullyQualifiedErrorId; message = $_.Exception.Message } } -Compress
}
