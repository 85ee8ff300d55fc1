$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
try {
    $system = Get-CimInstance -ClassName Win32_OperatingSystem
    $version = Get-ItemProperty -Path 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
    $servicing = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending'
    $update = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired'
    $exchange = 'HKLM:\SOFTWARE\Microsoft\ExchangeServer\v15\Setup'
    $answer = @{
        caption = $system.Caption
        build = $system.BuildNumber
        installation = $version.InstallationType
        name = $system.CSName
        restarts = @((Test-Path -Path $servicing), (Test-Path -Path $update))
        exchange = (Test-Path -Path $exchange)
    }
    ConvertTo-Json -InputObject $answer -Compress -Depth 4
} catch {
    ConvertTo-Json -InputObject @{ error = @{ id = $_.FullyQualifiedErrorId; message = $_.Exception.Message } } -Compress
}
