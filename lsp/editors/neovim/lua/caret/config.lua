--- What `setup` takes, and what holds where it says nothing.
local M = {}

---@class caret.Keys
---@field accept string|false
---@field accept_word string|false
---@field accept_line string|false
---@field next string|false
---@field previous string|false
---@field suggest string|false
---@field dismiss string|false

---@class caret.Config
M.defaults = {
  --- How the language server is started; more words such as `--server` may follow.
  ---@type string[]
  cmd = { 'caret', 'lsp' },
  --- Environment variables of the server, beside Neovim's own.
  ---@type table<string, string>
  cmd_env = {},
  --- File types in which it runs; nil: all.
  ---@type string[]?
  filetypes = nil,
  --- Names of which one marks the root of a workspace.
  ---@type string[]
  root_markers = { '.git' },
  --- Settings of the server: the keys of `[client]` in Caret's configuration.
  ---@type table<string, any>
  settings = {},
  --- Whether the server may have files watched that change on disk.
  watch_files = true,
  --- What draws: `builtin` (vim.lsp.inline_completion, Neovim 0.12), `extmarks`, or `auto`.
  engine = 'auto',
  --- How long after a key a suggestion is asked for, in milliseconds. Neovim's own waits 200.
  debounce_ms = 30,
  --- Keys of insert mode; false: none at all, or not this one.
  ---@type caret.Keys|false
  keys = {
    accept = '<Tab>',
    accept_word = '<M-Right>',
    accept_line = '<M-C-Right>',
    next = '<M-]>',
    previous = '<M-[>',
    suggest = '<M-Bslash>',
    dismiss = '<C-]>',
  },
}

--- What each option is: what its default is.
local KINDS = { filetypes = 'table' }
for name, value in pairs(M.defaults) do
  KINDS[name] = type(value)
end

--- Return what is wrong with the options of a user, one line each.
---@param given table
---@return string[]
function M.mistakes(given)
  local found = {}
  for name, value in pairs(given) do
    if name == 'keys' then
      if type(value) ~= 'table' and value ~= false then
        found[#found + 1] = 'keys: a table or false'
      elseif value then
        for key in pairs(value) do
          if M.defaults.keys[key] == nil then
            found[#found + 1] = ('keys.%s: no such action'):format(key)
          end
        end
      end
    elseif not KINDS[name] then
      found[#found + 1] = ('%s: no such option'):format(name)
    elseif type(value) ~= KINDS[name] then
      found[#found + 1] = ('%s: a %s'):format(name, KINDS[name])
    elseif name == 'engine' and not vim.tbl_contains({ 'auto', 'builtin', 'extmarks' }, value) then
      found[#found + 1] = 'engine: auto, builtin or extmarks'
    end
  end
  table.sort(found)
  return found
end

--- Return the whole configuration; what is wrong is left out.
---@param given table
---@return caret.Config
function M.complete(given)
  local right = {}
  for name, value in pairs(given) do
    if #M.mistakes({ [name] = value }) == 0 then
      right[name] = value
    end
  end
  local config = vim.tbl_deep_extend('force', M.defaults, right)
  if right.cmd then
    config.cmd = right.cmd
  end
  if config.engine == 'auto' then
    config.engine = M.has_builtin() and 'builtin' or 'extmarks'
  elseif config.engine == 'builtin' and not M.has_builtin() then
    config.engine = 'extmarks'
  end
  return config
end

--- Whether this Neovim has inline completion of its own.
---@return boolean
function M.has_builtin()
  return vim.lsp.inline_completion ~= nil
end

return M
