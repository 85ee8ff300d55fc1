$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$lines = @($input)
try {
    $request = ConvertFrom-Json -InputObject $lines[0]
    $secrets = @{}
    foreach ($number in @($request.secrets)) {
        $secrets[$number] = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String([string]$lines[$number]))
    }
    $app = New-Object -ComObject hMailServer.Application
    foreach ($number in @($request.authenticate)) {
        if ($null -eq $app.Authenticate('Administrator', $secrets[$number])) { throw 'AdministratorPassword' }
    }
    $settings = $app.Settings
    foreach ($number in @($request.administrator)) { $settings.SetAdministratorPassword($secrets[$number]) }
    $owners = @{ settings = $settings; application = $app }
    foreach ($name in @($request.domains)) { $owners[$name] = $app.Domains.ItemByName($name) }
    foreach ($one in @($request.remove)) {
        $collection = $owners[$one.owner].($one.collection)
        $collection.DeleteByDBID($one.id)
    }
    foreach ($one in @($request.save)) {
        $collection = $owners[$one.owner].($one.collection)
        if ($one.id -eq 0) { $item = $collection.Add() } else { $item = $collection.ItemByDBID($one.id) }
        foreach ($part in $one.set) {
            $name = $part.name
            $item.$name = $part.value
        }
        foreach ($number in @($one.password)) { $item.Password = $secrets[$number] }
        $item.Save()
        $owners[$one.label] = $item
    }
    foreach ($part in @($request.settings)) {
        $name = $part.name
        $settings.$name = $part.value
    }
    foreach ($part in @($request.logging)) {
        $name = $part.name
        $settings.Logging.$name = $part.value
    }
    foreach ($number in @($request.relayer)) { $settings.SetSMTPRelayerPassword($secrets[$number]) }
    foreach ($method in @($request.restart)) { $app.$method() }
    ConvertTo-Json -InputObject @{ ok = $true } -Compress
} catch {
    ConvertTo-Json -InputObject @{ error = @{ id = $_.FullyQualifiedErrorId; message = $_.Exception.Message } } -Compress
}
