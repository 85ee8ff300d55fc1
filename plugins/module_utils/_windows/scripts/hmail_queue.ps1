$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$lines = @($input)
try {
    $request = ConvertFrom-Json -InputObject $lines[0]
    $app = New-Object -ComObject hMailServer.Application
    foreach ($number in @($request.authenticate)) {
        $password = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String([string]$lines[$number]))
        if ($null -eq $app.Authenticate('Administrator', $password)) { throw 'AdministratorPassword' }
    }
    $queue = $app.GlobalObjects.DeliveryQueue
    foreach ($id in @($request.retry)) { $queue.ResetDeliveryTime($id) }
    foreach ($id in @($request.remove)) { $queue.Remove($id) }
    foreach ($method in @($request.start)) { $queue.$method() }
    $path = $app.Settings.Logging.CurrentDefaultLog
    $log = @()
    if ([IO.File]::Exists($path)) { $log = @(Get-Content -LiteralPath $path -Tail $request.lines -Encoding UTF8 | ForEach-Object { "$_" }) }
    $certificates = @()
    $collection = $app.Settings.SSLCertificates
    for ($i = 0; $i -lt $collection.Count; $i++) {
        $file = $collection.Item($i).CertificateFile
        $end = ''
        if ([IO.File]::Exists($file)) {
            $certificate = New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList $file
            $end = $certificate.NotAfter.ToUniversalTime().ToString('o')
        }
        $certificates += , @{ file = $file; not_after = $end }
    }
    $system = Get-CimInstance -ClassName Win32_OperatingSystem
    $answer = @{
        offset = $system.CurrentTimeZone
        version = $app.Version
        processed = $app.Status.ProcessedMessages
        undelivered = $app.Status.UndeliveredMessages
        log = $log
        certificates = @($certificates)
    }
    ConvertTo-Json -InputObject $answer -Compress -Depth 4
} catch {
    ConvertTo-Json -InputObject @{ error = @{ id = $_.FullyQualifiedErrorId; message = $_.Exception.Message } } -Compress
}
