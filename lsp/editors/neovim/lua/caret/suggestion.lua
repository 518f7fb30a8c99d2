--- A suggestion: the items of an answer, and the place in the buffer that it was asked for.
---
--- Knows text and no drawing. What it would insert is worked out from the buffer each time, so that text
--- typed meanwhile is folded in, and an item whose place is no more is never applied (neovim issue 36529).
local units = require('caret.units')

local api = vim.api

---@class caret.Place
---@field buf integer
---@field row integer zero-based
---@field col integer byte of the cursor in its line
---@field line string
---@field tick integer

---@class caret.Item
---@field text string with the buffer's own line breaks
---@field start integer first byte that it replaces
---@field stop integer byte behind the last one that it replaces
---@field before string what was taken of it on lines above
---@field has_crlf boolean whether the server's line breaks are CR LF, which the buffer's text has not
---@field command table?

---@class caret.Suggestion
---@field place caret.Place
---@field client_id integer
---@field encoding string units of the client's positions
---@field items caret.Item[]
---@field index integer
local Suggestion = {}
Suggestion.__index = Suggestion

local M = {}

--- The end of what a part of `rest` takes, in bytes; `word` and `line` take at least one character.
local PARTS = {
  all = function(rest)
    return #rest
  end,
  line = function(rest)
    local stop = rest:find('\n', 2, true)
    return stop and stop - 1 or #rest
  end,
  word = function(rest)
    -- Bytes of characters beyond ASCII belong to words, so that none is ever cut.
    local _, stop = rest:find('^%s*[%w_\128-\255]+')
    if not stop then
      _, stop = rest:find('^%s*[^%w_%s\128-\255]+')
    end
    return stop or #rest
  end,
}

--- Where the cursor of the current window is.
---@return caret.Place
function M.here()
  local buf = api.nvim_get_current_buf()
  local cursor = api.nvim_win_get_cursor(0)
  return {
    buf = buf,
    row = cursor[1] - 1,
    col = cursor[2],
    line = api.nvim_get_current_line(),
    tick = api.nvim_buf_get_changedtick(buf),
  }
end

--- Whether nothing has changed since `place` was taken.
---@param place caret.Place
---@return boolean
function M.is_here(place)
  local now = M.here()
  return now.buf == place.buf and now.tick == place.tick and now.row == place.row and now.col == place.col
end

--- Return the suggestion of an answer; nil where it holds nothing that could be shown.
---@param client vim.lsp.Client
---@param place caret.Place
---@param result table?
---@return caret.Suggestion?
function M.new(client, place, result)
  local encoding = client.offset_encoding or 'utf-16'
  local is_dos = vim.bo[place.buf].fileformat == 'dos'
  local items = {}
  for _, raw in ipairs(result and (result.items or result) or {}) do
    local text = type(raw.insertText) == 'table' and raw.insertText.value or raw.insertText
    local start, stop, row = place.col, place.col, place.row
    if raw.range then
      row = raw.range.start.line == raw.range['end'].line and raw.range.start.line or -1
      start = units.byte_of(place.line, raw.range.start.character, encoding)
      stop = units.byte_of(place.line, raw.range['end'].character, encoding)
    end
    if row == place.row and start <= place.col and place.col <= stop then
      -- Elsewhere a CR before the line's end is text of the buffer, and stays.
      local breaks = 0
      if is_dos then
        text, breaks = text:gsub('\r\n', '\n')
      end
      items[#items + 1] = {
        text = text,
        start = start,
        stop = stop,
        before = '',
        has_crlf = breaks > 0,
        command = raw.command,
      }
    end
  end
  if #items == 0 then
    return nil
  end
  return setmetatable({
    place = place,
    client_id = client.id,
    encoding = encoding,
    items = items,
    index = 1,
  }, Suggestion)
end

---@return caret.Item
function Suggestion:item()
  return self.items[self.index]
end

--- Return what is not typed yet of the item; nil once its place is no more, or nothing is left.
---@return string?
function Suggestion:rest()
  local now, then_, item = M.here(), self.place, self:item()
  if now.buf ~= then_.buf or now.row ~= then_.row or now.col < item.start then
    return nil
  end
  local is_same_around = now.line:sub(1, item.start) == then_.line:sub(1, item.start)
    and now.line:sub(now.col + 1) == then_.line:sub(then_.col + 1)
  local typed = now.line:sub(item.start + 1, now.col)
  if not is_same_around or #typed >= #item.text or item.text:sub(1, #typed) ~= typed then
    return nil
  end
  return item.text:sub(#typed + 1)
end

--- Return what follows the cursor and is replaced when the item is taken whole.
---@return string
function Suggestion:replaced()
  return self.place.line:sub(self.place.col + 1, self:item().stop)
end

--- Return what follows the cursor and stays.
---@return string
function Suggestion:kept()
  return self.place.line:sub(self:item().stop + 1)
end

--- Choose another item, `count` further; it wraps.
---@param count integer
function Suggestion:cycle(count)
  self.index = (self.index - 1 + count) % #self.items + 1
end

--- Choose the item with this text.
---@param text string
function Suggestion:choose(text)
  for index, item in ipairs(self.items) do
    if item.text == text then
      self.index = index
      return
    end
  end
end

--- The items as the protocol has them, the chosen one first, with the buffer's own line breaks.
---@return table[]
function Suggestion:as_lsp()
  local found = {}
  for step = 0, #self.items - 1 do
    local item = self.items[(self.index - 1 + step) % #self.items + 1]
    local function position(byte)
      local character = units.of(self.place.line:sub(1, byte), self.encoding)
      return { line = self.place.row, character = character }
    end
    found[#found + 1] = {
      insertText = item.text,
      range = { start = position(item.start), ['end'] = position(item.stop) },
      command = item.command,
    }
  end
  return found
end

--- Insert a part of what is left at the cursor, as one step of undo.
---@param part 'all'|'line'|'word'
---@return 'whole'|'partly'|nil taken nil: it is stale, and nothing was changed
---@return integer length of the item's text up to there, in units of the protocol
function Suggestion:take(part)
  local rest = self:rest()
  if not rest then
    return nil, 0
  end
  local now, item = M.here(), self:item()
  local taken = rest:sub(1, PARTS[part](rest))
  local is_whole = taken == rest
  local stop = now.col + (is_whole and #self:replaced() or 0)
  local lines = vim.split(taken, '\n', { plain = true })
  vim.o.undolevels = vim.o.undolevels -- what was typed before is a step of its own
  api.nvim_buf_set_text(now.buf, now.row, now.col, now.row, stop, lines)
  local col = (#lines == 1 and now.col or 0) + #lines[#lines]
  api.nvim_win_set_cursor(0, { now.row + #lines, col })
  local done = item.before .. item.text:sub(1, #item.text - #rest + #taken)
  if not is_whole and #lines > 1 then
    self:move(now, lines, rest:sub(#taken + 1), done)
  end
  if item.has_crlf then
    done = done:gsub('\n', '\r\n')
  end
  return is_whole and 'whole' or 'partly', units.of(done, self.encoding)
end

--- Have the item begin on the line that a partial accept ended on.
---@param from caret.Place where it was taken
---@param lines string[] what was taken
---@param rest string what is left
---@param done string all that was taken so far
function Suggestion:move(from, lines, rest, done)
  local item, last = self:item(), lines[#lines]
  local replaced = #self:replaced()
  self.place = {
    buf = from.buf,
    row = from.row + #lines - 1,
    col = #last,
    line = api.nvim_get_current_line(),
    tick = api.nvim_buf_get_changedtick(from.buf),
  }
  item.before = done:sub(1, #done - #last)
  item.text = last .. rest
  item.start, item.stop = 0, #last + replaced
  self.items, self.index = { item }, 1
end

return M
