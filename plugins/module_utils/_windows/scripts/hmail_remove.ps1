$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$lines = @($input)
try {
    $request = ConvertFrom-Json -InputObject $lines[0]
    foreach ($path in @($request.paths)) {
        if ([IO.Directory]::Exists([string]$path)) { Remove-Item -LiteralPath ([string]$path) -Recurse -Force }
    }
    ConvertTo-Json -InputObject @{ ok = $true } -Compress
} catch {
    ConvertTo-Json -InputObject @{ error = @{ id = $_.FullyQualifiedErrorId; message = $_.Exception.Message } } -Compress
}
