$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$lines = @($input)
try {
    $request = ConvertFrom-Json -InputObject $lines[0]
    $fields = @()
    $responses = @()
    $files = @(Get-ChildItem -LiteralPath ([string]$request.folder) -File -ErrorAction SilentlyContinue)
    foreach ($file in @($files | Sort-Object -Property Name -Descending | Select-Object -First 1)) {
        foreach ($line in @(Get-Content -LiteralPath $file.FullName -TotalCount 20)) {
            if ($line -like '#Fields:*') { $fields += "$line" }
        }
        foreach ($line in @(Get-Content -LiteralPath $file.FullName -Tail ([int]$request.lines))) {
            if ($line -like '#Fields:*') { $fields += "$line" }
            if ($line -like '* OutboundConnectionResponse *') { $responses += "$line" }
        }
    }
    ConvertTo-Json -InputObject @{ fields = @($fields); responses = @($responses) } -Compress
} catch {
    ConvertTo-Json -InputObject @{ error = @{ id = $_.FullyQualifiedErrorId; message = $_.Exception.Message } } -Compress
}
