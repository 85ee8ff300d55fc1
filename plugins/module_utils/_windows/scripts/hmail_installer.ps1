$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$lines = @($input)
try {
    $request = ConvertFrom-Json -InputObject $lines[0]
    $path = [string]$request.path
    foreach ($url in @($request.url)) {
        [Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12
        $null = [IO.Directory]::CreateDirectory([string]$request.directory)
        Invoke-WebRequest -Uri ([string]$url) -OutFile $path -UseBasicParsing
    }
    $hash = ''
    if ([IO.File]::Exists($path)) { $hash = (Get-FileHash -LiteralPath $path -Algorithm SHA256).Hash }
    ConvertTo-Json -InputObject @{ sha256 = $hash } -Compress
} catch {
    ConvertTo-Json -InputObject @{ error = @{ id = $_.FullyQualifiedErrorId; message = $_.Exception.Message } } -Compress
}
