-- What bowline's key may change: in the zones that have a file in `rights`, the
-- record types that the file names, strictly below the apex.
--
-- `return false` would only skip the record, and the client would hear NOERROR.
-- `error` makes all of the update fail (SERVFAIL) and takes it back.

local rights = "/etc/powerdns/bowline/rights/"
local kinds = { [pdns.A] = "A", [pdns.AAAA] = "AAAA", [pdns.TXT] = "TXT" }

local function deny(why)
  error("bowline: " .. why, 0)
end

-- Read each time, so that a new zone needs no restart for its rights.
local function may(zone, kind)
  local file = io.open(rights .. zone:gsub("%.$", ""))
  if not file then
    return false
  end
  local types = file:read("*l") or ""
  file:close()
  return (" " .. types .. " "):find(" " .. kind .. " ", 1, true) ~= nil
end

function updatepolicy(input)
  -- An update without a signature has no key name to turn into text.
  local signed, key = pcall(function() return input:getTsigName():toString():lower() end)
  if not signed or key ~= "bowline." then
    deny("not signed with the key for updates")
  end
  local from = input:getRemote():toString()
  if from ~= "127.0.0.1" then
    deny("from " .. from)
  end
  local name = input:getQName():toString():lower()
  local zone = input:getZoneName():toString():lower()
  local below = name:sub(1, -(#zone + 2))
  if below == "" or name ~= below .. "." .. zone then
    deny(name .. " is not below " .. zone)
  end
  local kind = kinds[input:getQType()]
  if not kind or not may(zone, kind) then
    deny("type " .. input:getQType() .. " in " .. zone)
  end
  if below == "*" then
    deny("a wildcard for all of " .. zone)
  end
  if kind == "TXT" and not below:find("^_acme%-challenge%..") then
    deny("TXT at " .. name)
  end
  return true
end
