--- Certificates of the specs: an authority made once per run, and whatever it is asked to sign, by the
-- openssl command.
--
--   local c = pki.certificate { names = { "a.example" } }     files c.certificate, c.key, in a directory of their own
--   pki.certificate { names = ..., kind = "rsa", from = -3600, till = 86400 }    seconds from now

local process = require("spec.support.process")
local sys = require("spec.support.sys")

local pki = {}

local OPENSSL = "/usr/bin/openssl"

local CONFIG = [[
[ca]
default_ca = spec
[spec]
database = %s/index.txt
new_certs_dir = %s
rand_serial = yes
default_md = sha256
unique_subject = no
policy = any
[any]
organizationName = optional
commonName = optional
[req]
distinguished_name = name
[name]
]]

local DAY = 24 * 3600
local authorities, keys, count = {}, {}, 0
local top

--- Runs openssl to its end.
-- @return standard output
local function openssl(...)
  local run = process.start({ OPENSSL, ... }, { name = "openssl" })
  local code = run:wait_exit()
  local out, err = sys.read_file(run.stdout), sys.read_file(run.stderr)
  run:cleanup()
  require("spec.support.cleanup").remove(run)
  assert(code == 0, ("openssl %s: %s"):format(table.concat({ ... }, " "), err))
  return out
end

--- A new path for a file of the run; what follows the name's last dot is kept.
local function path(name)
  if not top then
    top = sys.temp_dir()
    -- busted's process ends with all of its specs: nothing of an earlier end may remove this.
    pki.guard = newproxy(true)
    getmetatable(pki.guard).__gc = function()
      os.execute("rm -rf " .. top)
    end
  end
  count = count + 1
  return ("%s/%d-%s"):format(top, count, name)
end

local function new_key(kind)
  local key = path(kind .. ".key")
  if kind == "rsa" then
    openssl("genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key)
  elseif kind == "ed25519" then
    openssl("genpkey", "-algorithm", "ED25519", "-out", key)
  else
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
  end
  return key
end

--- The key of a kind that certificates share unless they ask for one of their own.
local function shared_key(kind)
  keys[kind] = keys[kind] or new_key(kind)
  return keys[kind]
end

--- An authority by name (default "Spec CA"): certificate and key, and where it keeps what it signed.
function pki.authority(name)
  name = name or "Spec CA"
  if authorities[name] then
    return authorities[name]
  end
  local a = { name = name, key = new_key("ec"), certificate = path("ca.pem"), dir = path("ca") }
  os.execute("mkdir " .. a.dir)
  a.config, a.index = a.dir .. "/config", a.dir .. "/index.txt"
  sys.write_file(a.config, CONFIG:format(a.dir, a.dir))
  sys.write_file(a.index, "")
  openssl("req", "-config", a.config, "-x509", "-new", "-key", a.key, "-subj", "/O=Spec/CN=" .. name, "-days", "30",
    "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    "-out", a.certificate)
  authorities[name] = a
  return a
end

--- The subjectAltName of a list of names and addresses.
local function alt_names(names)
  local list = {}
  for i, name in ipairs(names) do
    local kind = name:find("^%u+:") and "" or name:find("^[%d.]+$") and "IP:" or "DNS:"
    list[i] = kind .. name
  end
  return "subjectAltName=" .. table.concat(list, ",")
end

local function date(seconds)
  return os.date("!%Y%m%d%H%M%SZ", os.time() + seconds)
end

local function sign(authority, key, options, leaf)
  local request, extensions = path("csr"), path("ext")
  local has_names = options.names and #options.names > 0
  local subject = options.subject or "/CN=" .. (has_names and options.names[1] or "spec")
  sys.write_file(extensions, (has_names and alt_names(options.names) .. "\n" or "") .. "basicConstraints=CA:FALSE\n")
  openssl("req", "-config", authority.config, "-new", "-key", key, "-subj", subject, "-out", request)
  local args = { "ca", "-config", authority.config, "-batch", "-notext", "-in", request, "-out", leaf, "-extfile",
    extensions, "-startdate", date(options.from or -DAY), "-enddate", date(options.till or 90 * DAY) }
  local signer = options.authority == false and { "-selfsign", "-keyfile", key }
    or { "-cert", authority.certificate, "-keyfile", authority.key }
  for _, arg in ipairs(signer) do
    args[#args + 1] = arg
  end
  openssl(unpack(args))
end

--- A certificate with its chain.
-- @param options names (list; "DNS:" before one that looks like an address; none: no subjectAltName), kind ("ec",
--   "rsa", "ed25519"), from, till (seconds from now), authority (name; false: signed by itself), subject (default: of
--   the first name), own_key (not the one that all of the kind share)
-- @return certificate, key, leaf (file names), authority
function pki.certificate(options)
  local authority = pki.authority(options.authority or nil)
  local kind = options.kind or "ec"
  local result = {
    key = options.own_key and new_key(kind) or shared_key(kind), leaf = path("leaf.pem"),
    certificate = path("chain.pem"), authority = authority,
  }
  sign(authority, result.key, options, result.leaf)
  local chain = options.authority == false and "" or sys.read_file(authority.certificate)
  sys.write_file(result.certificate, sys.read_file(result.leaf) .. chain)
  return result
end

--- A file that is no certificate.
function pki.garbage()
  local file = path("garbage.pem")
  sys.write_file(file, "this is no certificate\n")
  return file
end

--- The answer of the authority's OCSP responder for a certificate, as a file.
function pki.ocsp(certificate, days)
  local authority, answer = certificate.authority, path("ocsp.der")
  openssl("ocsp", "-index", authority.index, "-CA", authority.certificate, "-rsigner", authority.certificate,
    "-rkey", authority.key, "-issuer", authority.certificate, "-cert", certificate.leaf, "-respout", answer,
    "-ndays", tostring(days or 7))
  return answer
end

--- The authority takes a certificate back: its next OCSP answers say so.
function pki.revoke(certificate)
  openssl("ca", "-config", certificate.authority.config, "-revoke", certificate.leaf, "-cert",
    certificate.authority.certificate, "-keyfile", certificate.authority.key)
end

--- The pair for the configuration: only what a file may have.
function pki.pair(certificate, more)
  local pair = { certificate = certificate.certificate, key = certificate.key }
  for key, value in pairs(more or {}) do
    pair[key] = value
  end
  return pair
end

--- The serial number of a certificate, as openssl prints it.
function pki.serial(file)
  return openssl("x509", "-in", file, "-noout", "-serial"):match("serial=(%x+)")
end

pki.openssl, pki.path = openssl, path

return pki
