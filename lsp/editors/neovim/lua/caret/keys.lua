--- The keys of insert mode; each does what it did before where there is no suggestion.
local M = {}

local ACTIONS = { 'accept', 'accept_word', 'accept_line', 'next', 'previous', 'suggest', 'dismiss' }
local NEEDS_SUGGESTION = { accept = true, accept_word = true, accept_line = true, dismiss = true }
local DESCRIBED = 'Caret: '

--- Have `<Plug>(caret-…)` do what a key did before; return a function that presses it.
---@param key string
---@return function
local function before(key)
  local plug = ('<Plug>(caret-without-%s)'):format((key:gsub('[<>]', '')))
  local old = vim.fn.maparg(key, 'i', false, true)
  local was_mapped = next(vim.fn.maparg(plug, 'i', false, true)) and vim.startswith(old.desc or '', DESCRIBED)
  if was_mapped then
    -- By an earlier `setup`: the <Plug> is there, and would press itself for ever.
  elseif next(old) then
    old.lhs, old.lhsraw, old.lhsrawalt, old.buffer = plug, vim.keycode(plug), nil, 0
    vim.fn.mapset('i', false, old)
  else
    vim.keymap.set('i', plug, key)
  end
  return function()
    -- At the head of what is typed ahead, so that the order of keys stays.
    vim.api.nvim_feedkeys(vim.keycode(plug), 'im', false)
  end
end

--- Map the keys.
---@param keys caret.Keys|false
function M.map(keys)
  local caret = require('caret')
  for _, action in ipairs(keys and ACTIONS or {}) do
    local key = keys[action]
    if key then
      local otherwise = before(key)
      vim.keymap.set('i', key, function()
        if NEEDS_SUGGESTION[action] and not caret.is_visible() then
          otherwise()
        else
          caret[action](otherwise)
        end
      end, { desc = DESCRIBED .. action:gsub('_', ' ') })
    end
  end
end

return M
