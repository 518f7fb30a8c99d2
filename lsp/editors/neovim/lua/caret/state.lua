--- The one suggestion that is visible, whichever engine draws it.
---
--- The `User` events CaretShown and CaretHidden tell others of it.
local feedback = require('caret.feedback')

local M = {}

---@type caret.Suggestion?
local current

--- Return the visible suggestion as far as it still fits the buffer.
---@return caret.Suggestion?
function M.current()
  return current and current:rest() and current or nil
end

--- Return it whether it fits or not.
---@return caret.Suggestion?
function M.last()
  return current
end

---@param name string
local function tell(name)
  vim.api.nvim_exec_autocmds('User', { pattern = name, modeline = false })
end

--- A suggestion has become visible, or another item of it.
---@param suggestion caret.Suggestion
function M.show(suggestion)
  local before = M.current()
  if before and before ~= suggestion and before:rest() == suggestion:rest() then
    feedback.renamed(suggestion)
  else
    feedback.shown(suggestion)
  end
  current = suggestion
  tell('CaretShown')
end

--- What was visible is no more.
---@param reason 'typed_over'|'escape'|'replaced'|'cursor_moved'|'used'
function M.hide(reason)
  feedback.hidden(reason)
  if current then
    current = nil
    tell('CaretHidden')
  end
end

--- Why a suggestion does not fit the buffer any more.
---@return 'typed_over'|'cursor_moved'|'used'
function M.reason()
  if not current then
    return 'used'
  end
  local now, place = require('caret.suggestion').here(), current.place
  if now.buf ~= place.buf or now.row ~= place.row then
    return 'cursor_moved'
  end
  if now.tick == place.tick then
    return 'cursor_moved'
  end
  local typed = now.line:sub(current:item().start + 1, now.col)
  return typed == current:item().text and 'used' or 'typed_over'
end

--- Insert a part of the visible suggestion; true: something was taken.
---@param part 'all'|'line'|'word'
---@return boolean
function M.take(part)
  local suggestion = current
  if not suggestion then
    return false
  end
  local taken, length = suggestion:take(part)
  if not taken then
    M.hide(M.reason())
    return false
  end
  if taken == 'whole' then
    feedback.accepted(suggestion)
    M.hide('used')
  else
    feedback.partly_accepted(length)
  end
  return true
end

return M
