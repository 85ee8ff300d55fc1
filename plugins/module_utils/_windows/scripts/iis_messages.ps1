$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$lines = @($input)
try {
    $request = ConvertFrom-Json -InputObject $lines[0]
    $files = @()
    foreach ($folder in @($request.folders)) {
        foreach ($file in @(Get-ChildItem -LiteralPath ([string]$folder) -File -ErrorAction SilentlyContinue)) {
            if ($file.LastWriteTimeUtc.ToString('o') -ge [string]$request.since) {
                $headers = @()
                foreach ($line in @(Get-Content -LiteralPath $file.FullName -TotalCount 200 -ErrorAction SilentlyContinue)) {
                    if ($line -like 'Subject: *' -or $line -like '*X-Mailops-Probe: *') { $headers += "$line" }
                }
                $files += , @{ folder = [string]$folder; headers = @($headers) }
            }
        }
    }
    ConvertTo-Json -InputObject @{ files = @($files) } -Compress -Depth 4
} catch {
    ConvertTo-Json -InputObject @{ error = @{ id = $_.FullyQualifiedErrorId; message = $_.Exception.Message } } -Compress
}
