--- The engine for Neovim without inline completion of its own: asks, and draws by extmarks.
---
--- A request that newer typing supersedes is left to the server, which goes on with it where the typing
--- agrees; it is cancelled when insert mode ends.
local ask = require('caret.ask')
local draw = require('caret.draw')
local state = require('caret.state')
local suggestions = require('caret.suggestion')
local switch = require('caret.switch')

local api = vim.api
local uv = vim.uv or vim.loop

local M = {}

local timer = assert(uv.new_timer())
local debounce_ms = 30
---@type { client: vim.lsp.Client, id: integer }?
local pending

local function cancel()
  timer:stop()
  if pending then
    ask.cancel(pending.client, pending.id)
    pending = nil
  end
end

---@param reason string
local function hide(reason)
  local last = state.last()
  if last then
    draw.clear(last.place.buf)
  end
  state.hide(reason)
end

---@param suggestion caret.Suggestion
local function show(suggestion)
  if draw.show(suggestion) then
    state.show(suggestion)
  else
    hide('used')
  end
end

---@param kind integer
local function request(kind)
  local buf = api.nvim_get_current_buf()
  local client = ask.client(buf)
  if not client or not ask.is_inserting() or (kind == ask.AUTOMATIC and not switch.is_on(buf)) then
    return
  end
  local place = suggestions.here()
  local mine = { client = client }
  mine.id = ask.send(client, buf, kind, function(err, result)
    if pending == mine then
      pending = nil
    end
    if err or not ask.is_inserting() or not suggestions.is_here(place) then
      return
    end
    local suggestion = suggestions.new(client, place, result)
    if suggestion and suggestion:rest() then
      show(suggestion)
    elseif not state.current() then
      hide('replaced') -- an answer with nothing takes nothing away that still fits
    end
  end)
  pending = mine.id and mine or nil
end

--- The text or the cursor has moved: go on with what is shown, or ask anew.
local function moved()
  local buf = api.nvim_get_current_buf()
  local suggestion = state.current()
  timer:stop()
  if suggestion and draw.show(suggestion) then
    return -- typed through: what is shown needs no request
  end
  hide(state.reason())
  if not switch.is_on(buf) or not ask.client(buf) then
    return
  end
  timer:start(debounce_ms, 0, vim.schedule_wrap(function()
    request(ask.AUTOMATIC)
  end))
end

---@param config caret.Config
function M.setup(config)
  debounce_ms = config.debounce_ms
  local group = api.nvim_create_augroup('caret.extmarks', {})
  api.nvim_create_autocmd({ 'InsertEnter', 'TextChangedI', 'TextChangedP', 'CursorMovedI' }, {
    group = group,
    callback = moved,
  })
  api.nvim_create_autocmd({ 'InsertLeave', 'BufLeave' }, {
    group = group,
    callback = function()
      cancel()
      hide('escape')
    end,
  })
end

--- Nothing is to be done: events of all buffers come here.
function M.attach() end

function M.detach() end

--- Take note that suggestions were switched on or off in a buffer.
---@param _ vim.lsp.Client
---@param buf integer
function M.switched(_, buf)
  if not switch.is_on(buf) then
    cancel()
    hide('escape')
  end
end

--- Take a part of what is shown; `otherwise` is called where nothing can be taken.
---@param part 'all'|'line'|'word'
---@param otherwise function
function M.accept(part, otherwise)
  local buf = api.nvim_get_current_buf()
  local suggestion = state.current()
  draw.clear(buf)
  if not suggestion or not state.take(part) then
    return otherwise()
  end
  cancel()
  if state.last() then
    show(suggestion)
  end
end

---@param count integer
function M.cycle(count)
  local suggestion = state.current()
  if not suggestion or #suggestion.items == 1 then
    return request(ask.INVOKED)
  end
  suggestion:cycle(count)
  if suggestion:rest() then
    show(suggestion)
  else
    hide('replaced')
  end
end

function M.suggest()
  timer:stop() -- what comes by itself would take its place
  request(ask.INVOKED)
end

function M.dismiss()
  cancel()
  hide('escape')
end

return M
