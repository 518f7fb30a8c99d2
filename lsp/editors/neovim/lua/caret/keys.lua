--- The keys of insert mode; each does what it did before where there is no suggestion.
local M = {}

local ACTIONS = { 'accept', 'accept_word', 'accept_line', 'next', 'previous', 'suggest', 'dismiss' }
local NEEDS_SUGGESTION = { accept = true, accept_word = true, accept_line = true, dismiss = true }

--- Have `<Plug>(caret-…)` do what a key did before; return a function that presses it.
---@param action string
---@param key string
---@return function
local function before(action, key)
  local plug = ('<Plug>(caret-without-%s)'):format(action)
  local old = vim.fn.maparg(key, 'i', false, true)
  if next(old) then
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
      local otherwise = before(action, key)
      vim.keymap.set('i', key, function()
        if NEEDS_SUGGESTION[action] and not caret.is_visible() then
          otherwise()
        else
          caret[action](otherwise)
        end
      end, { desc = 'Caret: ' .. action:gsub('_', ' ') })
    end
  end
end

return M
