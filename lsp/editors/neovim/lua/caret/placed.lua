--- Tells the server that the cursor was put somewhere by no edit, so that it may think ahead there.
local ask = require('caret.ask')
local switch = require('caret.switch')

local api = vim.api

local M = {}

M.METHOD = 'caret/cursorMoved'

--- The text that each buffer had when its cursor was seen last.
---@type table<integer, integer>
local seen = {}

local group = api.nvim_create_augroup('caret.placed', {})

--- Where text would be put in. In normal mode the cursor cannot stand behind the last character, which is
--- as near to the line's end as it gets.
---@return integer byte of the current line
local function column()
  local line, col = api.nvim_get_current_line(), api.nvim_win_get_cursor(0)[2]
  local is_on_last = not ask.is_inserting() and vim.fn.matchend(line, '.', col) == #line
  return is_on_last and #line or col
end

---@param client vim.lsp.Client
---@param buf integer
local function moved(client, buf)
  local tick, before = api.nvim_buf_get_changedtick(buf), seen[buf]
  seen[buf] = tick
  local mode = api.nvim_get_mode().mode:sub(1, 1)
  if tick ~= before or not (mode == 'n' or mode == 'i') or not switch.is_on(buf) then
    return
  end
  ask.notify(client, M.METHOD, {
    textDocument = vim.lsp.util.make_text_document_params(buf),
    position = ask.position(client, column()),
  })
end

---@param client vim.lsp.Client
---@param buf integer
function M.attach(client, buf)
  M.detach(buf)
  seen[buf] = api.nvim_buf_get_changedtick(buf)
  api.nvim_create_autocmd({ 'CursorMoved', 'CursorMovedI' }, {
    group = group,
    buffer = buf,
    callback = function()
      moved(client, buf)
    end,
  })
  -- What changes the text and leaves the cursor, or counts as a change and is none, is no news later.
  api.nvim_create_autocmd({ 'TextChanged', 'TextChangedI', 'TextChangedP', 'BufWritePost' }, {
    group = group,
    buffer = buf,
    callback = function()
      seen[buf] = api.nvim_buf_get_changedtick(buf)
    end,
  })
end

---@param buf integer
function M.detach(buf)
  seen[buf] = nil
  if api.nvim_buf_is_valid(buf) then
    api.nvim_clear_autocmds({ group = group, buffer = buf })
  end
end

return M
