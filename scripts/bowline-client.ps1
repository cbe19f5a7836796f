<#
.SYNOPSIS
Keeps a name pointed at this Windows machine, by visiting its update URL when that is needed.

.DESCRIPTION
    powershell -ExecutionPolicy Bypass -File bowline-client.ps1 install
    powershell -ExecutionPolicy Bypass -File bowline-client.ps1 run | status | uninstall

install asks for the update URL, keeps it encrypted for this user, and has the Task Scheduler
run this script every five minutes. run asks the server which address this machine has and
says no more while that is confirmed; it confirms it anew once a day. The URL is a secret: it
is in no command line and in no log.

Exit status: 0 confirmed; 1 set up wrongly; 2 wrong usage; 3 the server cannot be reached, or
not with an address that can be published; 4 it asks to come later; 5 its answer is none of
bowline's; 6 it refuses: the URL is wrong, replaced or disabled; 7 another copy is running.

Windows chooses the family of the connection (IPv4 or IPv6) itself here; for both use two
URLs whose names have one family only, or the shell script below WSL.
#>
param(
    [Parameter(Position = 0)]
    [ValidateSet('install', 'run', 'status', 'uninstall')]
    [string] $Verb = 'status',
    # Visits in any case, also while waiting after a trouble, and says what it was answered.
    [switch] $Now
)
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$TaskName = 'bowline-client'
$Home_ = Join-Path $env:LOCALAPPDATA 'bowline-client'
$UrlFile = Join-Path $Home_ 'url'
$StateFile = Join-Path $Home_ 'state.json'
$Script = Join-Path $Home_ 'bowline-client.ps1'
[Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12

function Get-Seconds { [DateTimeOffset]::UtcNow.ToUnixTimeSeconds() }

# The state; of a file that cannot be read there is none.
function Get-State {
    $state = @{ address = ''; again = 0; next = 0; fails = 0; code = 0; said = '' }
    if (Test-Path $StateFile) {
        try {
            $read = Get-Content -Raw $StateFile | ConvertFrom-Json
            foreach ($key in @($state.Keys)) {
                if ($read.PSObject.Properties[$key]) { $state[$key] = $read.$key }
            }
        } catch { Write-Verbose 'the state cannot be read' }
    }
    $state
}

function Save-State($state) {
    $state | ConvertTo-Json | Set-Content -Encoding UTF8 "$StateFile.new"
    Move-Item -Force "$StateFile.new" $StateFile
}

# The URL, decrypted with this user's key.
function Get-Url {
    if (-not (Test-Path $UrlFile)) { throw 'there is no update URL; run install' }
    $secure = Get-Content -Raw $UrlFile | ForEach-Object { $_.Trim() } | ConvertTo-SecureString
    (New-Object Net.NetworkCredential('', $secure)).Password
}

# Status, first word and rest of an answer; status 0 when there was none.
function Get-Answer([string] $url) {
    $answer = @{ status = 0; word = ''; rest = ''; retry = 0 }
    $request = [Net.WebRequest]::Create($url)
    $request.Timeout = 30000
    $request.ReadWriteTimeout = 30000
    $request.AllowAutoRedirect = $false
    # Over a proxy the server would see the proxy's address, and publish that.
    $request.Proxy = $null
    $request.UserAgent = 'bowline-client'
    $response = $null
    try { $response = $request.GetResponse() }
    catch {
        # An answer that is no 2xx comes as an exception, which is wrapped in others.
        $cause = $_.Exception
        while ($cause -and $cause -isnot [Net.WebException]) { $cause = $cause.InnerException }
        if ($cause) { $response = $cause.Response }
    }
    if (-not $response) { return $answer }
    try {
        $answer.status = [int] $response.StatusCode
        $seconds = 0
        if ([int]::TryParse($response.Headers['Retry-After'], [ref] $seconds)) {
            $answer.retry = [Math]::Min([Math]::Max($seconds, 0), 86400)
        }
        # A line of ours is short; what is longer is no answer of ours.
        $buffer = New-Object char[] 512
        $reader = New-Object IO.StreamReader($response.GetResponseStream())
        $read = $reader.ReadBlock($buffer, 0, 512)
        $line = ((New-Object string($buffer, 0, $read)) -split "`n")[0].Trim()
        $words = @($line -split ' ', 2)
        $answer.word = $words[0]
        if ($words.Count -gt 1) { $answer.rest = $words[1] }
    } catch { Write-Verbose 'the answer was cut off' }
    finally { $response.Close() }
    $answer
}

function Test-Address([string] $text) {
    $address = $null
    ($text -match '^[0-9A-Fa-f.:]+$') -and ($text -match '[.:]') -and [Net.IPAddress]::TryParse($text, [ref] $address)
}

# Keeps an outcome, and when to ask again; a quarter of the time is random.
function Set-Outcome($state, [int] $code, [string] $text, [long] $pause, [long] $most, [long] $retry) {
    $state.code = $code
    $state.said = $text
    if ($code -eq 0) { $state.fails = 0; $state.next = 0 }
    else {
        $wait = [Math]::Min($pause * [Math]::Pow(2, [Math]::Min($state.fails, 20)), $most)
        $wait = [Math]::Max($wait, $retry)
        $state.next = (Get-Seconds) + $wait + (Get-Random -Minimum 0 -Maximum ([int] ($wait / 4) + 1))
        $state.fails = $state.fails + 1
    }
    Save-State $state
    $code
}

function Invoke-Visit {
    $url = (Get-Url).TrimEnd('/')
    if ($url -notmatch '^(https?://.+?)/[A-Za-z0-9._~-]{16,64}(/[^/]+)?$') { throw 'the kept update URL is none' }
    $base = $Matches[1]
    $state = Get-State
    $time = Get-Seconds
    if (-not $Now -and $time -lt $state.next -and $state.next -le $time + 172800) { return $state.code }
    # That the address is the same does not tell whether the URL is still good: at once, only the
    # visit itself counts.
    if (-not $Now) {
        $answer = Get-Answer "$base/ip"
        if ($answer.status -eq 200 -and $answer.word -eq $state.address -and $state.code -eq 0 -and $time -lt $state.again -and $state.again -le $time + 172800) { return 0 }
        if ($answer.status -eq 0) { return Set-Outcome $state 3 'the server cannot be reached' 60 1800 0 }
        if ($answer.status -eq 429 -or $answer.status -ge 500) {
            return Set-Outcome $state 4 "the server answers $($answer.status)" 60 3600 $answer.retry
        }
    }
    $answer = Get-Answer $url
    if ($answer.status -eq 0) { return Set-Outcome $state 3 'the server cannot be reached' 60 1800 0 }
    if ($answer.status -eq 200 -and @('good', 'nochg') -contains $answer.word -and (Test-Address $answer.rest)) {
        $state.address = $answer.rest
        $state.again = $time + 82800 + (Get-Random -Minimum 0 -Maximum 3000)
        return Set-Outcome $state 0 $answer.rest 0 0 0
    }
    if ($answer.word -eq 'badip') { return Set-Outcome $state 3 'not an address that can be published' 3600 86400 $answer.retry }
    if ($answer.status -eq 429 -or $answer.status -ge 500) {
        return Set-Outcome $state 4 "the server answers $($answer.status)" 60 3600 $answer.retry
    }
    if (@(400, 401, 403, 404) -contains $answer.status) {
        return Set-Outcome $state 6 "refused: $($answer.status); is the URL still right?" 3600 86400 $answer.retry
    }
    Set-Outcome $state 5 "$($answer.status), and not bowline's answer" 300 3600 $answer.retry
}

switch ($Verb) {
    'install' {
        New-Item -ItemType Directory -Force $Home_ | Out-Null
        Read-Host -AsSecureString 'Update URL' | ConvertFrom-SecureString | Set-Content -Encoding ASCII $UrlFile
        # What is known is of the URL that was there before, as is how long it waits.
        Remove-Item -Force $StateFile -ErrorAction SilentlyContinue
        if ($PSCommandPath -ne $Script) { Copy-Item -Force $PSCommandPath $Script }
        $action = New-ScheduledTaskAction -Execute 'powershell.exe' `
            -Argument "-NoProfile -NonInteractive -WindowStyle Hidden -ExecutionPolicy Bypass -File `"$Script`" run"
        $trigger = New-ScheduledTaskTrigger -Once -At (Get-Date) -RepetitionInterval (New-TimeSpan -Minutes 5) `
            -RandomDelay (New-TimeSpan -Seconds 60)
        $settings = New-ScheduledTaskSettingsSet -StartWhenAvailable -AllowStartIfOnBatteries `
            -DontStopIfGoingOnBatteries -MultipleInstances IgnoreNew -ExecutionTimeLimit (New-TimeSpan -Minutes 5)
        Register-ScheduledTask -Force -TaskName $TaskName -Action $action -Trigger $trigger -Settings $settings | Out-Null
        $code = Invoke-Visit
        Write-Output (Get-State).said
        exit $code
    }
    'run' {
        # One copy at a time; one that ended without letting go has let go.
        $mutex = New-Object Threading.Mutex($false, 'bowline-client')
        try { $mine = $mutex.WaitOne(0) } catch [Threading.AbandonedMutexException] { $mine = $true }
        if (-not $mine) { exit 7 }
        try {
            $code = Invoke-Visit
            if ($Now) { Write-Output (Get-State).said }
            exit $code
        }
        catch { [Console]::Error.WriteLine("bowline-client: $($_.Exception.Message)"); exit 1 }
        finally { $mutex.ReleaseMutex() }
    }
    'status' {
        $state = Get-State
        Write-Output $state.said
        exit $state.code
    }
    'uninstall' {
        Unregister-ScheduledTask -TaskName $TaskName -Confirm:$false -ErrorAction SilentlyContinue
        Remove-Item -Recurse -Force $Home_ -ErrorAction SilentlyContinue
    }
}
