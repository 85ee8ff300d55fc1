$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$lines = @($input)
try {
    $request = ConvertFrom-Json -InputObject $lines[0]
    $folders = @()
    foreach ($folder in @($request.folders)) {
        $count = 0
        $size = [long]0
        $oldest = $null
        foreach ($file in @(Get-ChildItem -LiteralPath ([string]$folder) -File -ErrorAction SilentlyContinue)) {
            $count += 1
            $size += $file.Length
            $time = $file.LastWriteTimeUtc.ToString('o')
            if ($null -eq $oldest -or $time -lt $oldest) { $oldest = $time }
        }
        $folders += , @{ path = [string]$folder; count = $count; size = $size; oldest = $oldest }
    }
    ConvertTo-Json -InputObject @{ folders = @($folders) } -Compress -Depth 3
} catch {
    ConvertTo-Json -InputObject @{ error = @{ id = $_.FullyQualifiedErrorId; message = $_.Exception.Message } } -Compress
}
