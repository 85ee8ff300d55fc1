$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$lines = @($input)
try {
    $request = ConvertFrom-Json -InputObject $lines[0]
    $key = 'HKLM:\SOFTWARE\mailops\relay'
    foreach ($one in @($request.write)) {
        if (-not (Test-Path -Path $key)) { $null = New-Item -Path $key -Force }
        Set-ItemProperty -Path $key -Name ([string]$one.name) -Type String -Value ([string]$one.text)
    }
    foreach ($name in @($request.remove)) { Remove-ItemProperty -Path $key -Name ([string]$name) }
    ConvertTo-Json -InputObject @{ ok = $true } -Compress
} catch {
    ConvertTo-Json -InputObject @{ error = @{ id = $_.FullyQualifiedErrorId; message = $_.Exception.Message } } -Compress
}
