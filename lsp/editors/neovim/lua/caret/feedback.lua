--- What became of suggestions, told to the server: see "For authors of clients" in Caret's README.
---
--- A server that wants to know gives each item a command whose arguments name it; without one nothing is
--- sent. Only ids, lengths and times are told, never text.
local ask = require('caret.ask')

local M = {}

local now = (vim.uv or vim.loop).now

---@class caret.Visible
---@field key table completion id and candidate
---@field client_id integer
---@field since integer milliseconds

---@type caret.Visible?
local visible

---@param client_id integer
---@param method string
---@param params table
local function notify(client_id, method, params)
  local client = vim.lsp.get_client_by_id(client_id)
  if client then
    ask.notify(client, method, params)
  end
end

---@param extra table
---@return table
local function named(extra)
  assert(visible)
  return vim.tbl_extend('error', { completionId = visible.key[1], candidate = visible.key[2] }, extra)
end

---@param item caret.Item
---@return table?
local function key_of(item)
  local arguments = item.command and item.command.arguments
  return type(arguments) == 'table' and #arguments == 2 and arguments or nil
end

--- An item is visible from now on.
---@param suggestion caret.Suggestion
function M.shown(suggestion)
  local key = key_of(suggestion:item())
  if visible and vim.deep_equal(visible.key, key) then
    return
  end
  M.hidden('replaced')
  visible = key and { key = key, client_id = suggestion.client_id, since = now() } or nil
end

--- Another answer says what is visible already: the same suggestion under another name.
---@param suggestion caret.Suggestion
function M.renamed(suggestion)
  local key = key_of(suggestion:item())
  if visible and key then
    visible.key, visible.client_id = key, suggestion.client_id
  end
end

--- What was visible is no more.
---@param reason 'typed_over'|'escape'|'replaced'|'cursor_moved'|'used'
function M.hidden(reason)
  if not visible then
    return
  end
  notify(visible.client_id, 'caret/didShowCompletion', named({ visibleMs = now() - visible.since }))
  if reason ~= 'used' then
    notify(visible.client_id, 'caret/didDismissCompletion', named({ reason = reason }))
  end
  visible = nil
end

--- A part was taken, and the rest stays visible.
---@param length integer taken so far, in units of the protocol
function M.partly_accepted(length)
  if visible then
    notify(visible.client_id, 'caret/didPartlyAcceptCompletion', named({ acceptedLength = length }))
  end
end

--- The item was taken whole: its command is for the server to run.
---@param suggestion caret.Suggestion
function M.accepted(suggestion)
  M.hidden('used')
  local command = suggestion:item().command
  local client = vim.lsp.get_client_by_id(suggestion.client_id)
  if not command or not client then
    return
  end
  local params = { command = command.command, arguments = command.arguments }
  local function ignore() end
  if vim.fn.has('nvim-0.11') == 1 then
    client:request('workspace/executeCommand', params, ignore, suggestion.place.buf)
  else
    client.request('workspace/executeCommand', params, ignore, suggestion.place.buf)
  end
end

return M
