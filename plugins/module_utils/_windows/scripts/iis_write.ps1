$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$lines = @($input)
try {
    $request = ConvertFrom-Json -InputObject $lines[0]
    $password = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String([string]$lines[1]))
    $setting = Get-WmiObject -Namespace 'root\MicrosoftIISv2' -Class IIsSmtpServerSetting -Filter "Name='SmtpSvc/1'"
    foreach ($one in @($request.texts)) { $setting.Properties[[string]$one.name].Value = [string]$one.value }
    foreach ($one in @($request.numbers)) { $setting.Properties[[string]$one.name].Value = [int]$one.value }
    foreach ($one in @($request.flags)) { $setting.Properties[[string]$one.name].Value = [bool]$one.value }
    $class = [wmiclass]'root\MicrosoftIISv2:ServerBinding'
    $bindings = @()
    foreach ($one in @($request.bindings)) {
        $binding = $class.CreateInstance()
        $binding.IP = [string]$one.address
        $binding.Port = [string]$one.port
        $binding.Hostname = [string]$one.hostname
        $bindings += $binding
    }
    if ($bindings.Count -gt 0) { $setting.ServerBindings = @($bindings) }
    $setting.RoutePassword = $password
    $null = $setting.Put()
    ConvertTo-Json -InputObject @{ ok = $true } -Compress
} catch {
    ConvertTo-Json -InputObject @{ error = @{ id = $_.FullyQualifiedErrorId; message = $_.Exception.Message } } -Compress
}
