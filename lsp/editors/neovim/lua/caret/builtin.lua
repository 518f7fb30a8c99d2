--- The engine for Neovim 0.12: its own `vim.lsp.inline_completion` asks and draws.
---
--- What it lacks is added where a request leaves the client: answers to a text that is no more are
--- dropped, and what is shown is known, so that a part can be taken and the rest shown on.
local ask = require('caret.ask')
local state = require('caret.state')
local suggestions = require('caret.suggestion')
local switch = require('caret.switch')

local api = vim.api

local M = {}

--- How Neovim is given an answer, by buffer: its handler, and the context of the last answer.
---@type table<integer, { handler: function, context: table }>
local receivers = {}
---@type table<integer, true>
local watched = {}
--- The kind of the next request that Neovim sends, where it is not an automatic one.
---@type integer?
local next_kind

--- Give Neovim items as if the server had sent them.
---@param buf integer
---@param items table[]
local function give(buf, items)
  local receiver = receivers[buf]
  if receiver and vim.lsp.inline_completion.is_enabled({ bufnr = buf }) then
    -- The client may have detached since.
    pcall(receiver.handler, nil, { items = items }, receiver.context)
  end
end

---@param reason string
local function hide(reason)
  local last = state.last()
  if last then
    give(last.place.buf, {})
  end
  state.hide(reason)
end

--- Take an answer: show it if it is for the text as it is.
---@param client vim.lsp.Client
---@param place caret.Place
---@param result table?
local function answered(client, place, result)
  if not ask.is_inserting() or not suggestions.is_here(place) then
    return
  end
  local suggestion = suggestions.new(client, place, result)
  if suggestion and suggestion:rest() then
    state.show(suggestion)
    give(place.buf, suggestion:as_lsp())
  elseif not state.current() then
    hide('replaced') -- an answer with nothing takes nothing away that still fits
  end
end

--- Look at the requests of a client that Neovim sends by itself.
---@param client vim.lsp.Client
local function watch(client)
  if watched[client.id] then
    return
  end
  watched[client.id] = true
  local request = client.request
  ---@diagnostic disable-next-line: duplicate-set-field
  client.request = function(self, method, params, handler, buf)
    if method ~= ask.METHOD or not handler or not params.context then
      return request(self, method, params, handler, buf)
    end
    local place = suggestions.here()
    params.context.triggerKind = next_kind or params.context.triggerKind
    next_kind = nil
    params.formattingOptions = ask.formatting(place.buf)
    return request(self, method, params, function(err, result, context)
      receivers[place.buf] = { handler = handler, context = context }
      if not err then
        answered(client, place, result)
      end
    end, buf)
  end
end

--- What is typed or where the cursor goes may leave nothing of what is shown.
local function moved()
  if state.last() and not state.current() then
    hide(state.reason())
  end
end

function M.setup()
  local group = api.nvim_create_augroup('caret.builtin', {})
  api.nvim_create_autocmd({ 'TextChangedI', 'TextChangedP', 'CursorMovedI' }, {
    group = group,
    callback = moved,
  })
  api.nvim_create_autocmd({ 'InsertLeave', 'BufLeave' }, {
    group = group,
    callback = function()
      hide('escape')
    end,
  })
end

---@param client vim.lsp.Client
---@param buf integer
function M.attach(client, buf)
  watch(client)
  if switch.is_on(buf) ~= vim.lsp.inline_completion.is_enabled({ bufnr = buf }) then
    vim.lsp.inline_completion.enable(switch.is_on(buf), { bufnr = buf })
  end
end

--- Take note that suggestions were switched on or off in a buffer.
---@param client vim.lsp.Client
---@param buf integer
function M.switched(client, buf)
  if not switch.is_on(buf) then
    hide('escape')
  end
  M.attach(client, buf)
end

--- Neovim forgets a buffer's suggestions by itself.
---@param _ vim.lsp.Client
---@param buf integer
function M.detach(_, buf)
  receivers[buf] = nil
end

--- Take a part of what is shown; `otherwise` is called where nothing can be taken.
---@param part 'all'|'line'|'word'
---@param otherwise function
function M.accept(part, otherwise)
  if not state.current() then
    return otherwise()
  end
  local buf = api.nvim_get_current_buf()
  local was_taken = vim.lsp.inline_completion.get({
    on_accept = function(item)
      local suggestion = state.last()
      if suggestion then
        suggestion:choose(item.insert_text)
      end
      if not state.take(part) then
        otherwise()
      elseif state.last() then
        give(buf, state.last():as_lsp())
      end
      return nil -- it is inserted; Neovim is to insert nothing
    end,
  })
  if not was_taken then
    return otherwise()
  end
  -- Neovim inserts in its next round, and what is typed ahead, read before it, would come first.
  local is_done = false
  vim.schedule(function()
    is_done = true
  end)
  vim.wait(1000, function()
    return is_done
  end, 1)
end

---@param count integer
function M.cycle(count)
  local suggestion = state.current()
  if not suggestion or #suggestion.items == 1 then
    return M.suggest()
  end
  suggestion:cycle(count)
  state.show(suggestion)
  vim.lsp.inline_completion.select({ count = count })
end

--- Ask now, as the user wants it.
function M.suggest()
  local buf = api.nvim_get_current_buf()
  local client = ask.client(buf)
  if client and receivers[buf] and ask.is_inserting() then
    next_kind = ask.INVOKED
    ask.send(client, buf, ask.INVOKED, receivers[buf].handler)
  else
    next_kind = ask.INVOKED -- the one that Neovim is about to send
  end
end

function M.dismiss()
  hide('escape')
end

return M
