$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$lines = @($input)
try {
    $request = ConvertFrom-Json -InputObject $lines[0]
    $products = @()
    foreach ($view in @('HKLM:\SOFTWARE\WOW6432Node', 'HKLM:\SOFTWARE')) {
        $key = "$view\Microsoft\Windows\CurrentVersion\Uninstall\hMailServer_is1"
        foreach ($one in @(Get-ItemProperty -Path $key -ErrorAction SilentlyContinue)) {
            $products += , @{ version = $one.DisplayVersion; directory = $one.InstallLocation }
        }
    }
    $services = @()
    foreach ($name in @('SMTPSVC', 'hMailServer')) {
        foreach ($one in @(Get-CimInstance -ClassName Win32_Service -Filter "Name='$name'")) {
            $services += , @{ name = $one.Name; state = $one.State; start_mode = $one.StartMode }
        }
    }
    $listening = @(Get-NetTCPConnection -State Listen | ForEach-Object { @{ port = [int]$_.LocalPort; process = [int]$_.OwningProcess } })
    $processes = @(Get-Process | ForEach-Object { @{ id = $_.Id; name = $_.ProcessName } })
    $folders = @($products | ForEach-Object { $_.directory }) + @($request.folders)
    $protected = @()
    foreach ($folder in $folders) {
        $path = $folder + 'Bin\hMailServer.INI'
        if ([IO.File]::Exists($path)) {
            $text = [IO.File]::ReadAllText($path)
            if (($text -match $request.password) -and ($text -notmatch $request.empty)) { $protected += $path }
        }
    }
    $framework = Get-ItemProperty -Path 'HKLM:\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full' -ErrorAction SilentlyContinue
    $memory = Get-ItemProperty -Path 'HKLM:\SOFTWARE\mailops\relay' -ErrorAction SilentlyContinue
    $answer = @{
        products = @($products)
        services = @($services)
        listening = $listening
        processes = $processes
        protected = @($protected)
        framework = $framework.Release
        memory = $memory.hmailserver
    }
    ConvertTo-Json -InputObject $answer -Compress -Depth 4
} catch {
    ConvertTo-Json -InputObject @{ error = @{ id = $_.FullyQualifiedErrorId; message = $_.Exception.Message } } -Compress
}
