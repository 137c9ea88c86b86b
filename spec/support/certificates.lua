--- Certificates for specs, made with the openssl command: an authority and what it signs, once a run.
--
--   local certificates = require("spec.support.certificates")
--   certificates.authority().file                       -- a CA, PEM
--   certificates.make { dns = { "a.example" }, ip = { "127.0.0.1" }, cn = "a" }
--     -> { certificate = FILE, key = FILE }
--
-- Equal wishes get the same files. They go with the process.

local sys = require("spec.support.sys")

local certificates = {}

--- Outlives busted's dropping of modules between files.
local store = rawget(_G, "tidelock_certificates")
if not store then
  store = { made = {}, serial = 1 }
  rawset(_G, "tidelock_certificates", store)
end

local function dir()
  if not store.dir then
    store.dir = sys.temp_dir()
    store.remover = newproxy(true)
    getmetatable(store.remover).__gc = function()
      os.execute("rm -rf " .. store.dir)
    end
  end
  return store.dir
end

local function run(command)
  local output = dir() .. "/openssl.out"
  if os.execute(command .. " >" .. output .. " 2>&1") ~= 0 then
    error(("%s failed:\n%s"):format(command, sys.read_file(output)), 0)
  end
end

local EC = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"

--- An authority of its own.
-- @param name for its subject; default "spec"
-- @return { file = its certificate, key = FILE }
function certificates.authority(name)
  name = name or "spec"
  local base = dir() .. "/ca-" .. name
  if not store.made[base] then
    run(("openssl req -x509 %s -keyout %s.key -out %s.pem -subj '/CN=authority %s' -days 2 "
      .. "-addext keyUsage=critical,keyCertSign,cRLSign"):format(EC, base, base, name))
    store.made[base] = { file = base .. ".pem", key = base .. ".key" }
  end
  return store.made[base]
end

local function extensions(wish)
  local names = {}
  for _, name in ipairs(wish.dns or {}) do
    names[#names + 1] = "DNS:" .. name
  end
  for _, ip in ipairs(wish.ip or {}) do
    names[#names + 1] = "IP:" .. ip
  end
  local lines = { "extendedKeyUsage=serverAuth,clientAuth" }
  if #names > 0 then
    lines[2] = "subjectAltName=" .. table.concat(names, ",")
  end
  return table.concat(lines, "\n") .. "\n"
end

--- A certificate and its key.
-- @param wish dns, ip: lists of names; cn (default: the first DNS name, or "spec"); authority (name of one, default
--   "spec"; false: signed by itself); days (default 1; -1: expired)
-- @return { certificate = FILE, key = FILE }
function certificates.make(wish)
  local cn = wish.cn or wish.dns and wish.dns[1] or "spec"
  local key = table.concat({
    cn, table.concat(wish.dns or {}, ","), table.concat(wish.ip or {}, ","), tostring(wish.authority), wish.days or 1,
  }, " ")
  if store.made[key] then
    return store.made[key]
  end
  store.serial = store.serial + 1
  local base = ("%s/leaf-%d"):format(dir(), store.serial)
  sys.write_file(base .. ".ext", extensions(wish))
  run(("openssl req -new %s -keyout %s.key -out %s.csr -subj '/CN=%s'"):format(EC, base, base, cn))
  local signer = ("-signkey %s.key"):format(base)
  if wish.authority ~= false then
    local ca = certificates.authority(wish.authority)
    signer = ("-CA %s -CAkey %s -set_serial %d"):format(ca.file, ca.key, store.serial)
  end
  run(("openssl x509 -req -in %s.csr %s -days %d -extfile %s.ext -out %s.pem"):format(
    base, signer, wish.days or 1, base, base))
  store.made[key] = { certificate = base .. ".pem", key = base .. ".key" }
  return store.made[key]
end

--- A file that is no certificate.
function certificates.garbage()
  local path = dir() .. "/garbage.pem"
  sys.write_file(path, "this is no certificate\n")
  return path
end

return certificates
