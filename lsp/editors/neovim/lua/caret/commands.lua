--- `:Caret` and its words.
local M = {}

---@param word string?
---@return integer?
local function scope(word)
  if word and word ~= 'buffer' then
    error(('Caret: %s: say `buffer` or nothing'):format(word), 0)
  end
  return word and 0 or nil
end

---@param line string
local function say(line)
  vim.api.nvim_echo({ { 'Caret: ' .. line } }, false, {})
end

local WORDS = {
  enable = function(word)
    require('caret').enable(true, scope(word))
  end,
  disable = function(word)
    require('caret').enable(false, scope(word))
  end,
  toggle = function(word)
    require('caret').toggle(scope(word))
    say(require('caret').is_enabled() and 'on' or 'off')
  end,
  status = function()
    say(require('caret').status())
  end,
  restart = function()
    require('caret.client').restart()
  end,
  log = function()
    vim.cmd.tabedit(vim.fn.fnameescape(vim.lsp.get_log_path()))
  end,
  health = function()
    vim.cmd.checkhealth('caret')
  end,
}

--- Run `:Caret WORD [buffer]`; without a word it says how things are.
---@param words string[]
function M.run(words)
  local word = WORDS[words[1] or 'status']
  if not require('caret').config() then
    vim.notify("Caret: call require('caret').setup() first", vim.log.levels.ERROR)
  elseif not word then
    vim.notify(('Caret: no such command: %s'):format(words[1]), vim.log.levels.ERROR)
  else
    local ok, err = pcall(word, words[2])
    if not ok then
      vim.notify(err, vim.log.levels.ERROR)
    end
  end
end

--- Return what may follow in the command line.
---@param line string
---@return string[]
function M.complete(line)
  local words = vim.split(line, '%s+')
  local offered = vim.tbl_keys(WORDS)
  if #words > 2 then
    offered = vim.tbl_contains({ 'enable', 'disable', 'toggle' }, words[2]) and { 'buffer' } or {}
  end
  table.sort(offered)
  return vim.tbl_filter(function(one)
    return vim.startswith(one, words[#words])
  end, offered)
end

return M
