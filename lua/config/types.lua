--- The types of settings: from what the file says to what the proxy reads.
--
-- A type has read(value, setting) -> what the proxy reads | nil, what is wrong; says (how a value
-- is written) and unit (of min and max). An error in a list has the entry's key as third result.

local host = require("host")

local types = {}

local SIZES = { [""] = 1, k = 1024, m = 1024 * 1024, g = 1024 * 1024 * 1024 }

local function whole(value)
  return type(value) == "number" and value % 1 == 0 and value
end

--- Bytes of "16k" or a number; nil when it is none.
local function bytes(value)
  if type(value) ~= "string" then
    return whole(value)
  end
  local number, unit = value:lower():match("^(%d+)([kmg]?)$")
  return number and #number <= 15 and tonumber(number) * SIZES[unit]
end

local function duration(value)
  local text = type(value) == "number" and ("%.3f"):format(value) or value
  return type(text) == "string" and host.duration(text)
end

--- Units as they are written, larger ones first.
local STEPS = {
  ms = { { 3600000, "h" }, { 60000, "m" }, { 1000, "s" }, { 1, "ms" } },
  bytes = { { SIZES.g, "g" }, { SIZES.m, "m" }, { SIZES.k, "k" } },
}

--- How a range's ends are written for its reader.
local function shown(number, unit)
  for _, step in ipairs(STEPS[unit] or {}) do
    if number > 0 and number % step[1] == 0 then
      return ("%d%s"):format(number / step[1], step[2])
    end
  end
  return ("%d"):format(number)
end

--- The range of a setting as text, or nil.
function types.range(setting)
  local unit = types[setting.type].unit
  if not setting.min then
    return nil
  end
  return ("%s to %s"):format(shown(setting.min, unit), shown(setting.max, unit))
end

--- A type of numbers with a range.
local function number_type(unit, says, read)
  return {
    unit = unit,
    says = says,
    read = function(value, setting)
      local number = read(value)
      if not number then
        return nil, "has to be " .. says
      elseif number < setting.min or number > setting.max then
        return nil, "is out of range: " .. types.range(setting)
      end
      return number
    end,
  }
end

--- A type of texts that have to pass a test.
local function text_type(says, test)
  return {
    says = says,
    read = function(value)
      if type(value) ~= "string" or not test(value) then
        return nil, "has to be " .. says
      end
      return value
    end,
  }
end

--- A type of lists of texts; a bare text is a list of one.
local function list_type(says, entry, test)
  return {
    says = says,
    read = function(value)
      local list = type(value) == "string" and { value } or value
      if type(list) ~= "table" or #list == 0 then
        return nil, "has to be " .. says
      end
      for key, text in pairs(list) do
        if type(key) ~= "number" or type(text) ~= "string" or not test(text) then
          return nil, "has to be " .. entry, key
        end
      end
      return list
    end,
  }
end

types.count = number_type("", "a whole number", whole)
types.size = number_type("bytes", "bytes: a number or \"16k\", \"10m\", \"1g\"", bytes)
types.duration = number_type("ms",
  "a duration: \"300ms\", \"30s\", \"1m30s\", or a number of seconds", duration)

types.flag = {
  says = "true or false",
  read = function(value)
    if type(value) ~= "boolean" then
      return nil, "has to be true or false"
    end
    return value
  end,
}

types.text = text_type("a text that is not empty", function(text)
  return text ~= "" and not text:find("%c")
end)

types.directory = text_type("a directory that is there", host.is_directory)

types.header_name = text_type("a header's name", host.is_token)

local ADDRESS = "\"127.0.0.1:8080\", \":8080\" or \"[::1]:8080\""
types.address = text_type("an address: " .. ADDRESS, host.is_address)
types.addresses = list_type("an address or a list of them: " .. ADDRESS, "an address: " .. ADDRESS,
  host.is_address)
types.ranges = list_type("a list of address ranges: \"10.0.0.0/8\", \"::1\"",
  "an address range: \"10.0.0.0/8\", \"::1\"", host.is_cidr)
types.type_patterns = list_type("a list of media types: \"text/*\", \"application/json\", \"+xml\"",
  "a media type: \"text/*\", \"application/json\", \"+xml\"", host.is_type_pattern)

local CODINGS = { zstd = true, br = true, gzip = true }
types.codings = list_type("a list of content codings: \"zstd\", \"br\", \"gzip\"",
  "a content coding: \"zstd\", \"br\" or \"gzip\"", function(text)
    return CODINGS[text]
  end)

types.paths = list_type("a list of files and directories: \"/srv/certificates\"", "the name of a file or directory",
  function(text)
    return text ~= "" and not text:find("%c")
  end)

types.servers = list_type("a list of name servers: \"9.9.9.9\", \"127.0.0.1:5353\"",
  "a name server: \"9.9.9.9\", \"127.0.0.1:5353\"", function(text)
    return host.is_ip(text) or host.is_address(text) and text:sub(1, 1) ~= ":"
  end)

local PAIR = { certificate = true, key = true, ocsp = true, names = true }

--- What is wrong with an entry of types.certificates, or nil; then the key within it.
local function pair_problem(pair)
  if type(pair) ~= "table" then
    return "has to be a table: { certificate = \"chain.pem\", key = \"key.pem\" }"
  end
  for key in pairs(pair) do
    if not PAIR[key] then
      return ("has an unknown key %s; there are certificate, key, ocsp and names"):format(tostring(key))
    end
  end
  for _, key in ipairs({ "certificate", "key", "ocsp" }) do
    local value = pair[key]
    local is_text = type(value) == "string" and value ~= "" and not value:find("%c")
    if not is_text and not (value == nil and key == "ocsp") then
      return "has to be the name of a file", key
    end
  end
  local names = pair.names
  if names ~= nil and (type(names) ~= "table" or #names == 0) then
    return "has to be a list of host names", "names"
  end
  for _, name in ipairs(names or {}) do
    if type(name) ~= "string" then
      return "has to be a list of host names", "names"
    end
  end
  return nil
end

types.certificates = {
  says = "a list of tables: { certificate = \"chain.pem\", key = \"key.pem\" }",
  read = function(value)
    if type(value) ~= "table" then
      return nil, "has to be " .. types.certificates.says
    end
    local list = value.certificate and { value } or value
    for i, pair in pairs(list) do
      local problem, key = pair_problem(pair)
      if problem then
        return nil, problem, key and ("%s.%s"):format(i, key) or i
      end
    end
    return #list > 0 and list or nil, "has to be " .. types.certificates.says
  end,
}

types.enum = {
  says = "one of",
  read = function(value, setting)
    local text = type(value) == "number" and tostring(value) or value
    for _, known in ipairs(setting.values) do
      if tostring(known) == text then
        return tostring(known)
      end
    end
    return nil, "has to be " .. types.values(setting)
  end,
}

--- The values of an enum as one would write them.
function types.values(setting)
  local list = {}
  for i, value in ipairs(setting.values) do
    list[i] = type(value) == "string" and ("%q"):format(value) or tostring(value)
  end
  return table.concat(list, ", ", 1, #list - 1) .. " or " .. list[#list]
end

types.headers = {
  says = "a table: { [\"X-Frame-Options\"] = \"DENY\" }",
  read = function(value)
    if type(value) ~= "table" then
      return nil, "has to be " .. types.headers.says
    end
    local list = {}
    for name, text in pairs(value) do
      if type(name) ~= "string" or type(text) ~= "string" then
        return nil, "has to be a text, under the header's name", name
      end
      local ok, err = host.setting_check("headers", name, text)
      if not ok then
        return nil, err, name
      end
      list[#list + 1] = { name, text }
    end
    table.sort(list, function(a, b) return a[1] < b[1] end)
    return list
  end,
}

--- Entries under names that services use in options. entry(value) -> what is read | nil, what is wrong.
local function named_type(says, entry)
  return {
    says = says,
    read = function(value)
      if type(value) ~= "table" then
        return nil, "has to be " .. says
      end
      local list = {}
      for name, own in pairs(value) do
        if type(name) ~= "string" or #name > 64 or not name:find("^[%w_-]+$") then
          return nil, "needs a name of letters, digits, _ and -", name
        end
        local read, err = entry(own)
        if not read then
          return nil, err, name
        end
        read.name = name
        list[#list + 1] = read
      end
      table.sort(list, function(a, b) return a.name < b.name end)
      return list
    end,
  }
end

local function is_text(value)
  return type(value) == "string" and value ~= "" and not value:find("%c")
end

types.named_authorities = named_type("a table: { internal = \"/etc/ssl/internal.pem\" }", function(file)
  if not is_text(file) then
    return nil, "has to be a file's name"
  end
  local ok, err = host.tls_authorities(file)
  return ok and { file = file }, err
end)

--- Which services may choose something.
-- @return list of names, or nil: any may; nil, what is wrong
local function service_list(value)
  if value == nil then
    return nil
  end
  local list = type(value) == "string" and { value } or value
  if type(list) ~= "table" then
    return nil, "has to have a list of names under services"
  end
  for key, name in pairs(list) do
    if type(key) ~= "number" or not is_text(name) then
      return nil, "has to have a list of names under services"
    end
  end
  return list
end

types.named_certificates = named_type(
  "a table: { proxy = { certificate = \"/etc/ssl/proxy.pem\", key = \"/etc/ssl/proxy.key\" } }", function(files)
    if type(files) ~= "table" or not is_text(files.certificate) or not is_text(files.key) then
      return nil, "has to be { certificate = FILE, key = FILE }"
    end
    local services, wrong = service_list(files.services)
    if wrong then
      return nil, wrong
    end
    local ok, err = host.tls_certificate(files.certificate, files.key)
    return ok and { certificate = files.certificate, key = files.key, services = services }, err
  end)

types.authority_file = {
  says = "a file of certificates",
  read = function(value)
    if not is_text(value) then
      return nil, "has to be a file's name"
    end
    local ok, err = host.tls_authorities(value)
    return ok and value, err
  end,
}

types.name_lists = {
  says = "a table: { [\"client.example.com\"] = { \"shop\", \"cart\" } }",
  read = function(value)
    if type(value) ~= "table" then
      return nil, "has to be " .. types.name_lists.says
    end
    local list = {}
    for name, services in pairs(value) do
      services = type(services) == "string" and { services } or services
      if not is_text(name) or type(services) ~= "table" or #services == 0 then
        return nil, "has to be a list of services, under a certificate's name", name
      end
      for _, service in ipairs(services) do
        if not is_text(service) then
          return nil, "has to be a list of names of services", name
        end
        list[#list + 1] = { name = name, service = service }
      end
    end
    table.sort(list, function(a, b)
      return a.name < b.name or a.name == b.name and a.service < b.service
    end)
    return list
  end,
}

return types
