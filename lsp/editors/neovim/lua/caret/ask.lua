--- Requests for suggestions: their method, their parameters, and how a client is asked and told.
local units = require('caret.units')

local M = {}

M.METHOD = 'textDocument/inlineCompletion'
M.INVOKED, M.AUTOMATIC = 1, 2

--- Return the client of Caret in a buffer.
---@param buf integer
---@return vim.lsp.Client?
function M.client(buf)
  return vim.lsp.get_clients({ bufnr = buf, name = 'caret' })[1]
end

--- Whether a mode is one of insert mode, its completion included.
---@return boolean
function M.is_inserting()
  return vim.api.nvim_get_mode().mode:sub(1, 1) == 'i'
end

--- Return how the buffer indents, which the server's answer then follows.
---@param buf integer
---@return table
function M.formatting(buf)
  return { tabSize = vim.lsp.util.get_effective_tabstop(buf), insertSpaces = vim.bo[buf].expandtab }
end

--- Return a place of the cursor's line, as the protocol has it.
---@param client vim.lsp.Client
---@param column integer its byte
---@return table
function M.position(client, column)
  local before = vim.api.nvim_get_current_line():sub(1, column)
  return {
    line = vim.api.nvim_win_get_cursor(0)[1] - 1,
    character = units.of(before, client.offset_encoding),
  }
end

--- Send a request at the cursor.
---@param client vim.lsp.Client
---@param buf integer
---@param kind integer
---@param handler function
---@return integer? id to cancel it by
function M.send(client, buf, kind, handler)
  local params = {
    textDocument = vim.lsp.util.make_text_document_params(buf),
    position = M.position(client, vim.api.nvim_win_get_cursor(0)[2]),
    context = { triggerKind = kind },
    formattingOptions = M.formatting(buf),
  }
  local request = { M.METHOD, params, handler, buf }
  local sent, id
  if vim.fn.has('nvim-0.11') == 1 then
    sent, id = client:request(unpack(request))
  else
    sent, id = client.request(unpack(request))
  end
  return sent and id or nil
end

--- Send a notification, behind the edits that are not sent yet.
---@param client vim.lsp.Client
---@param method string
---@param params table
function M.notify(client, method, params)
  if vim.fn.has('nvim-0.11') == 1 then
    client:notify(method, params)
  else
    client.notify(method, params)
  end
end

--- Cancel a request; its answer is then of no interest.
---@param client vim.lsp.Client
---@param id integer
function M.cancel(client, id)
  if vim.fn.has('nvim-0.11') == 1 then
    client:cancel_request(id)
  else
    client.cancel_request(id)
  end
end

return M
