$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
try {
    $names = @('SMTP-Server', 'Web-Metabase', 'Web-WMI')
    $features = @(Get-WindowsFeature -Name $names | ForEach-Object { @{ name = $_.Name; installed = $_.Installed } })
    $services = @()
    foreach ($name in @('SMTPSVC', 'IISADMIN', 'hMailServer')) {
        foreach ($one in @(Get-CimInstance -ClassName Win32_Service -Filter "Name='$name'")) {
            $services += , @{ name = $one.Name; state = $one.State; start_mode = $one.StartMode }
        }
    }
    $owners = @{}
    foreach ($process in @(Get-Process)) { $owners[[string]$process.Id] = $process.ProcessName }
    $ports = @()
    foreach ($one in @(Get-NetTCPConnection -State Listen)) {
        $ports += , @{ port = $one.LocalPort; process = $owners[[string]$one.OwningProcess] }
    }
    $memory = Get-ItemProperty -Path 'HKLM:\SOFTWARE\mailops\relay' -ErrorAction SilentlyContinue
    ConvertTo-Json -InputObject @{ features = $features; services = @($services); ports = @($ports); memory = $memory.iis } -Compress -Depth 4
} catch {
    ConvertTo-Json -InputObject @{ error = @{ id = $_.FullyQualifiedErrorId; message = $_.Exception.Message } } -Compress
}
