--- Caret in Neovim: code completion exactly where the cursor is. See `:help caret`.
local M = {}

---@type caret.Config?
local config
local engine

local function nothing() end

--- Begin: start the language server with each buffer, and map the keys. Called again, it takes other settings.
---@param given table? see `:help caret-options`
function M.setup(given)
  local options = require('caret.config')
  for _, mistake in ipairs(options.mistakes(given or {})) do
    vim.notify('Caret: ' .. mistake, vim.log.levels.WARN)
  end
  local drawing = config and config.engine
  config = options.complete(given or {})
  config.engine = drawing or config.engine -- another one would draw beside it
  engine = require('caret.' .. config.engine)
  engine.setup(config)
  require('caret.keys').map(config.keys)
  local placed = require('caret.placed')
  require('caret.client').setup(config, function(client, buf)
    engine.attach(client, buf)
    placed.attach(client, buf)
  end, function(client, buf)
    engine.detach(client, buf)
    placed.detach(buf)
  end)
end

--- The configuration in force; nil before `setup`.
---@return caret.Config?
function M.config()
  return config
end

--- Whether a suggestion is shown that could be taken.
---@return boolean
function M.is_visible()
  return require('caret.state').current() ~= nil
end

--- Take the suggestion, its next word, or its next line. `otherwise` is called where there is none, or it
--- is for a text that is no more.
---@param otherwise function?
function M.accept(otherwise)
  engine.accept('all', otherwise or nothing)
end

---@param otherwise function?
function M.accept_word(otherwise)
  engine.accept('word', otherwise or nothing)
end

---@param otherwise function?
function M.accept_line(otherwise)
  engine.accept('line', otherwise or nothing)
end

--- Show another candidate, or ask for some.
function M.next()
  engine.cycle(1)
end

function M.previous()
  engine.cycle(-1)
end

--- Ask for a suggestion now.
function M.suggest()
  engine.suggest()
end

--- Hide what is shown.
function M.dismiss()
  engine.dismiss()
end

--- Switch on or off, everywhere or in one buffer.
---@param is_on boolean
---@param buf integer? 0: the current one
function M.enable(is_on, buf)
  require('caret.switch').set(is_on, buf == 0 and vim.api.nvim_get_current_buf() or buf)
  for _, client in ipairs(vim.lsp.get_clients({ name = 'caret' })) do
    for one in pairs(client.attached_buffers) do
      engine.switched(client, one)
    end
  end
end

--- Whether it is on in a buffer.
---@param buf integer? default: the current one
---@return boolean
function M.is_enabled(buf)
  return require('caret.switch').is_on(buf or vim.api.nvim_get_current_buf())
end

---@param buf integer? 0: the current one; nil: everywhere
function M.toggle(buf)
  local is_on = buf and M.is_enabled(buf == 0 and nil or buf) or not buf and vim.g.caret_enabled ~= false
  M.enable(not is_on, buf)
end

--- One word for a status line: `off`, `stopped`, `loading`, `ready`, or `failed`.
---@return string
function M.status()
  local buf = vim.api.nvim_get_current_buf()
  return M.is_enabled(buf) and require('caret.client').stage(buf) or 'off'
end

return M
